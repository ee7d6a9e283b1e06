#!/bin/sh
# The one-shot service `prepare` of docker-compose.monitoring.yml: refuses what cannot work, and hands each container what it
# will read. It runs as root with two capabilities: to read secrets of any owner, and to give files to the users of other images.
set -eu
umask 077

ALERTMANAGER=65534:65534
GRAFANA=472:0
OURS="${SWARM_UID:-1000}:${SWARM_GID:-1000}"

# A secret from its variable, or from the file of that name.
secret() { # VARIABLE file
  eval "value=\${$1:-}"
  if [ -z "$value" ] && [ -r "/run/secrets/$2" ]; then value=$(cat "/run/secrets/$2"); fi
  printf '%s' "$value"
}

# Whole or not at all, for one reader.
hand_over() { # FILE owner mode < content
  cat > "$1.draft"
  chmod "$3" "$1.draft"
  chown "$2" "$1.draft"
  mv "$1.draft" "$1"
}

grafana=$(secret GRAFANA_PASSWORD grafana_password)
if [ -z "$grafana" ]; then
  echo 'prepare: Could not start: GRAFANA_PASSWORD is not set. Set it, or GRAFANA_PASSWORD_FILE, in .env, then start again.' >&2
  exit 2
fi
printf '%s' "$grafana" | hand_over /run/grafana-password/password "$GRAFANA" 400

# Without REDIS_PASSWORD one is made, once: Redis has a password in any case.
redis=$(secret REDIS_PASSWORD redis_password)
if [ -z "$redis" ] && [ -s /run/redis-password/password ]; then redis=$(cat /run/redis-password/password); fi
if [ -z "$redis" ]; then redis=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'); fi
quoted=$(printf '%s' "$redis" | sed 's/[\\"]/\\&/g')
# Two users read these, Redis's and ours; nobody else has the volume.
printf '%s' "$redis" | hand_over /run/redis-password/password 0:0 444
printf 'requirepass "%s"\n' "$quoted" | hand_over /run/redis-password/redis.conf 0:0 444
chmod 755 /run/redis-password /run/grafana-password /run/alertmanager

# Says which channels are on. Without any, alerts are still seen on Alertmanager's page.
node dist/cli/main.js alertmanager-config --output /run/alertmanager/alertmanager.yml
chown "$ALERTMANAGER" /run/alertmanager/alertmanager.yml

# A host folder that Docker has just made is empty and root's.
for folder in /memory /backups /home/node /state "${PROJECTS_DIR:-/srv/swarm-projects}"; do
  if [ -z "$(ls -A "$folder")" ]; then chown "$OURS" "$folder"; fi
done
chown "$OURS" /state
echo 'prepare: done.'

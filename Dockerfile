# One image, three commands (exporter, scheduler, orchestrator). Works with BuildKit and with the builder before it.
#   docker build -t cervellaswarm-monitor .                        without an agent
#   docker build -t cervellaswarm-monitor --target with-agent .    with git and Claude Code
ARG NODE_IMAGE=node:22.23.2-bookworm-slim

# What runs: compiled here where no prebuilt binary of SQLite can be fetched.
FROM ${NODE_IMAGE} AS packages
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /swarm
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: see cli/setup.mjs.
RUN npm install --omit=dev --no-save --no-audit --no-fund
# TypeScript comes along as somebody's optional peer; of SQLite only what was compiled is needed.
RUN cd node_modules && rm -rf typescript .bin \
 && mv better-sqlite3/build/Release/better_sqlite3.node /tmp/ && rm -rf better-sqlite3/deps better-sqlite3/src better-sqlite3/build \
 && mkdir -p better-sqlite3/build/Release && mv /tmp/better_sqlite3.node better-sqlite3/build/Release/

FROM ${NODE_IMAGE} AS build
WORKDIR /swarm
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --no-audit --no-fund --ignore-scripts
COPY . .
ARG REVISION=unknown
RUN SWARM_REVISION=${REVISION} npm run --silent build && find dist -name '*.map' -delete

# Without an agent: tasks wait, and the orchestrator says so. Owned by root, so that no process can change it.
FROM ${NODE_IMAGE} AS monitor
ENV NODE_ENV=production BIND_HOST=0.0.0.0
WORKDIR /swarm
COPY --from=packages /swarm/node_modules node_modules
COPY --from=build /swarm/dist dist
# The lock file is for `npm audit`.
COPY package.json package-lock.json ./
COPY alertmanager alertmanager
COPY cli/prepare.sh cli/prepare.sh
# git without the perl it depends on for scripts that nobody calls here: 100 MB less.
RUN apt-get -qq update \
 && apt-get -qq install -y --no-install-recommends ca-certificates libcurl3-gnutls libexpat1 libpcre2-8-0 zlib1g \
 && cd /tmp && apt-get -qq download git && dpkg -x git_*.deb /tmp/git && cp -a /tmp/git/usr/. /usr/ \
 && rm -rf /tmp/git /tmp/git_*.deb /usr/share/doc/git /var/lib/apt/lists/* /var/cache/apt/* && git --version \
 && ln -s /swarm/dist/cli/main.js /usr/local/bin/swarm
USER node
EXPOSE 9091 9092 9094 9095
CMD ["node", "dist/exporter/main.js"]

# Everything an agent needs besides its login. Its home is a volume.
FROM monitor AS with-agent
USER root
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends git ripgrep openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ARG AGENT_CLI=@anthropic-ai/claude-code@2.1.330
RUN npm install --global --no-audit --no-fund ${AGENT_CLI} && claude --version && rm -rf /root/.npm /root/.claude*
ENV DISABLE_AUTOUPDATER=1
USER node

# The last stage is what `docker build` makes when it is told no target.
FROM monitor AS default

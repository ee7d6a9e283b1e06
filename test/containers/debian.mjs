// Packages of the next Debian release, where this one has none or older ones. The mirror is the one this machine uses.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const NEXT_RELEASE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where this machine gets Debian's packages from, and its release. */
export function findMirror() {
  const format = '$(LABEL) $(CODENAME) $(REPO_URI)';
  const lines = run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']).split('\n');
  const [, release, address] = lines.find((line) => /^Debian [a-z]+ /.test(line))?.split(' ') ?? [];
  if (address === undefined) throw new Error('apt-get knows no mirror of Debian.');
  return { release, address };
}

/**
 * Downloads packages of the next release into a folder, installing nothing.
 * @param {readonly string[]} names
 * @param {string} folder
 */
export function fetchPackages(names, folder) {
  const apt = join(folder, 'apt');
  for (const each of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(apt, each), { recursive: true });
  writeFileSync(join(apt, 'sources'), `deb [signed-by=${KEYRING}] ${findMirror().address} ${NEXT_RELEASE} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(apt, 'sources'),
    'Dir::Etc::sourceparts': join(apt, 'parts'),
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  writeFileSync(
    join(apt, 'apt.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  const env = { APT_CONFIG: join(apt, 'apt.conf') };
  run('apt-get', ['-qq', 'update'], { env });
  run('apt-get', ['-qq', 'download', ...names], { env, cwd: folder });
  return readdirSync(folder)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(folder, name));
}

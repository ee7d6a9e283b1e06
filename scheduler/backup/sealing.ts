import { createCipheriv, createDecipheriv, type DecipherGCM, randomBytes, scrypt } from 'node:crypto';
import { Transform } from 'node:stream';
import { OperatorError } from '../../lib/errors.ts';

/*
 * A sealed file: magic, cost of scrypt (log2 of N, r, p), salt, nonce; the content by AES-256-GCM with all of that as
 * additional data; the tag.
 */
const MAGIC = Buffer.from('SWARMBK1');
const COST = { log2N: 15, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const COST_AT = MAGIC.length;
const SALT_AT = COST_AT + 3;
const NONCE_AT = SALT_AT + SALT_BYTES;
const HEADER_BYTES = NONCE_AT + NONCE_BYTES;
/** A file that asks for more is not one of ours, and would take all memory. */
const HIGHEST_LOG2_N = 17;

/** How many first bytes of a file `isSealed` wants to see. */
export const SEAL_MARK_BYTES = MAGIC.length;

/** Whether a file that begins so is encrypted by us. */
export function isSealed(firstBytes: Buffer): boolean {
  return firstBytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Encrypts what flows through it. */
export async function seal(passphrase: string): Promise<Transform> {
  const header = Buffer.concat([
    MAGIC,
    Buffer.from([COST.log2N, COST.r, COST.p]),
    randomBytes(SALT_BYTES),
    randomBytes(NONCE_BYTES),
  ]);
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, header), header.subarray(NONCE_AT));
  cipher.setAAD(header);
  const sealing = new Transform({
    transform: (chunk: Buffer, _, done) => done(null, cipher.update(chunk)),
    flush: (done) => {
      const last = cipher.final();
      done(null, Buffer.concat([last, cipher.getAuthTag()]));
    },
  });
  sealing.push(header);
  return sealing;
}

/**
 * Decrypts what flows through it. What comes out is not to be trusted before its end, where the tag is checked: then it
 * ends with an OperatorError if the passphrase is wrong or something was changed. `file` is named in errors.
 */
export function unseal(file: string, passphrase: string | undefined): Transform {
  let decipher: DecipherGCM | undefined;
  let held: Buffer = Buffer.alloc(0);
  const take = async (chunk: Buffer): Promise<Buffer> => {
    held = Buffer.concat([held, chunk]);
    if (decipher === undefined) {
      if (held.length < HEADER_BYTES) return Buffer.alloc(0);
      decipher = await createUnsealer(file, passphrase, held.subarray(0, HEADER_BYTES));
      held = held.subarray(HEADER_BYTES);
    }
    // The last bytes may be the tag.
    const content = held.subarray(0, Math.max(0, held.length - TAG_BYTES));
    held = held.subarray(content.length);
    return decipher.update(content);
  };
  return new Transform({
    transform: (chunk: Buffer, _, done) => {
      take(chunk).then((content) => done(null, content), done);
    },
    flush: (done) => {
      try {
        if (decipher === undefined || held.length < TAG_BYTES) throw new Error('cut short');
        decipher.setAuthTag(held);
        done(null, decipher.final());
      } catch (error) {
        done(cannotDecrypt(file, error));
      }
    },
  });
}

/** The error for a sealed file whose content makes no sense. */
export function cannotDecrypt(file: string, cause: unknown): OperatorError {
  return new OperatorError(
    `Could not decrypt "${file}": the passphrase is another, or the file was changed or cut short.`,
    'Set BACKUP_PASSPHRASE to the one it was made with; else take another copy of it.',
    { cause },
  );
}

async function createUnsealer(file: string, passphrase: string | undefined, header: Buffer): Promise<DecipherGCM> {
  if (passphrase === undefined) {
    throw new OperatorError(
      `Could not decrypt "${file}": there is no passphrase.`,
      'Set BACKUP_PASSPHRASE to the one it was made with.',
    );
  }
  const decipher = createDecipheriv(
    'aes-256-gcm',
    await deriveKey(passphrase, header, file),
    header.subarray(NONCE_AT),
  );
  decipher.setAAD(header);
  return decipher;
}

function deriveKey(passphrase: string, header: Buffer, file = ''): Promise<Buffer> {
  const [log2N, r, p] = header.subarray(COST_AT, SALT_AT);
  if (log2N < 1 || log2N > HIGHEST_LOG2_N || r < 1 || r > 16 || p < 1 || p > 4) {
    throw new OperatorError(`Could not decrypt "${file}": its header makes no sense.`, 'Take another copy of it.');
  }
  const cost = { N: 2 ** log2N, r, p };
  return new Promise((resolve, reject) => {
    scrypt(
      passphrase,
      header.subarray(SALT_AT, NONCE_AT),
      32,
      { ...cost, maxmem: 256 * cost.N * r + 2 ** 20 },
      (error, key) => (error ? reject(error) : resolve(key)),
    );
  });
}

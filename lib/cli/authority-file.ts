/** The file of `--ca`. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * The certificate authorities in a PEM file. Node.js itself ignores a file without any, and then trusts nobody.
 *
 * @throws {Error} with the reason, without the file's name: it cannot be read, or has no certificate.
 */
export function readAuthorityFile(path: string): Buffer {
  const content = readFileSync(path);
  try {
    // DER, which X509Certificate reads too, is ignored in the list of authorities.
    if (content.includes('-----BEGIN ') && new X509Certificate(content).subject !== undefined) return content;
  } catch {
    // It has no certificate.
  }
  throw new Error('it has no PEM certificate ("-----BEGIN CERTIFICATE-----")');
}

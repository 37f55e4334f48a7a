/**
 * TLS certificates made on the spot, since Node can sign but not write X.509: an authority, and leaves that it issues
 * for DNS names and IP addresses. ECDSA P-256, valid from an hour ago until tomorrow.
 *
 *     const authority = createAuthority();
 *     const { certificate, key } = authority.issue({ names: ['svc.ns'] });
 *     ServerCredentials.createSsl(null, [{ cert_chain: certificate, private_key: key }]);
 *     credentials.createSsl(authority.certificate);
 *
 * Structure: RFC 5280 section 4.1; encoding: DER (X.690).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface Authority {
  /** PEM. */
  readonly certificate: Buffer;
  /** A leaf for these DNS names and IPv4 addresses. */
  issue(subject: { names: readonly string[] }): { certificate: Buffer; key: Buffer };
}

export function createAuthority(name = 'Test Authority'): Authority {
  const keys = generateKeys();
  const extensions = [
    extension('551d13', true, sequence(boolean(true))), // basicConstraints: CA
    extension('551d0f', true, tlv(0x03, Buffer.from([0x01, 0x06]))), // keyUsage: keyCertSign, cRLSign
  ];
  return {
    certificate: issue({ subject: name, issuer: name, extensions, publicKey: keys.publicKey, signer: keys.privateKey }),
    issue({ names }) {
      const leaf = generateKeys();
      const certificate = issue({
        subject: 'Test Leaf',
        issuer: name,
        extensions: [extension('551d11', false, sequence(...names.map(generalName)))], // subjectAltName
        publicKey: leaf.publicKey,
        signer: keys.privateKey,
      });
      return { certificate, key: Buffer.from(leaf.privateKey.export({ type: 'pkcs8', format: 'pem' })) };
    },
  };
}

interface Request {
  subject: string;
  issuer: string;
  extensions: readonly Buffer[];
  publicKey: KeyObject;
  signer: KeyObject;
}

const HOUR_MS = 3_600_000;
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';

function issue({ subject, issuer, extensions, publicKey, signer }: Request): Buffer {
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const now = Date.now();
  const toBeSigned = sequence(
    tlv(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber()),
    algorithm,
    distinguishedName(issuer),
    sequence(utcTime(now - HOUR_MS), utcTime(now + 24 * HOUR_MS)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, signer);
  return toPem(sequence(toBeSigned, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature]))));
}

function generateKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Positive, and without a leading zero byte that DER would forbid. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function toPem(der: Buffer): Buffer {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(objectId(COMMON_NAME), tlv(0x0c, Buffer.from(commonName)))));
}

/** RFC 5280 section 4.2.1.6: dNSName is [2], iPAddress is [7]. */
function generalName(name: string): Buffer {
  if (isIP(name) === 4) return tlv(0x87, Buffer.from(name.split('.').map(Number)));
  return tlv(0x82, Buffer.from(name, 'ascii'));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  // FALSE is the default, and DER leaves defaults out.
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), tlv(0x04, value));
}

function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\D/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`, 'ascii'));
}

function objectId(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 0xff : 0]));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

/** Tag, length, value. */
function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), value]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), value]);
}

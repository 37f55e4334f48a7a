/**
 * Values of fields from the text of a path or a query, as grpc-gateway reads them. Its rules are those of Go's strconv, and
 * for durations in a query of time.ParseDuration ("1m30s").
 */
import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  fromJsonString,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { DurationSchema, FieldMaskSchema } from '@bufbuild/protobuf/wkt';

/** What a field is made of, without its name: `list` and `map` fields hold many of these. */
export interface ValueType {
  readonly scalar?: ScalarType | undefined;
  readonly enum?: DescEnum | undefined;
  readonly message?: DescMessage | undefined;
}

/** @returns a value for `ReflectMessage.set`. @throws {Error} that says what is wrong with the text. */
export function parseValue(type: ValueType | DescField, text: string): unknown {
  if (type.message !== undefined) return reflect(type.message, parseMessage(type.message, text));
  if (type.enum !== undefined) return parseEnum(type.enum, text);
  return parseScalar(type.scalar ?? ScalarType.STRING, text);
}

const RANGES: ReadonlyMap<ScalarType, readonly [least: bigint, most: bigint]> = new Map(
  (
    [
      [[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32], -(2n ** 31n), 2n ** 31n - 1n],
      [[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64], -(2n ** 63n), 2n ** 63n - 1n],
      [[ScalarType.UINT32, ScalarType.FIXED32], 0n, 2n ** 32n - 1n],
      [[ScalarType.UINT64, ScalarType.FIXED64], 0n, 2n ** 64n - 1n],
    ] as const
  ).flatMap(([types, least, most]) => types.map((type) => [type, [least, most] as const] as const)),
);

function parseScalar(type: ScalarType, text: string): string | number | bigint | boolean | Uint8Array {
  const range = RANGES.get(type);
  if (range !== undefined) return parseInteger(text, ...range);
  if (type === ScalarType.BOOL) return parseBoolean(text);
  if (type === ScalarType.BYTES) return parseBytes(text);
  if (type === ScalarType.DOUBLE || type === ScalarType.FLOAT) return parseFloating(text, type === ScalarType.FLOAT);
  return text;
}

/** 64-bit integers are `bigint`, others `number`. */
function parseInteger(text: string, least: bigint, most: bigint): number | bigint {
  if (!(least < 0n ? /^[+-]?[0-9]+$/ : /^[0-9]+$/).test(text)) throw new Error(`"${text}" is no integer`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (value < least || value > most) throw new Error(`"${text}" is out of range`);
  return most > 2n ** 32n ? value : Number(value);
}

function parseBoolean(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new Error(`"${text}" is no boolean`);
}

function parseFloating(text: string, single: boolean): number {
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) throw new Error(`"${text}" is no number`);
  const value = single ? Math.fround(Number(text)) : Number(text);
  if (!Number.isFinite(value)) throw new Error(`"${text}" is out of range`);
  return value;
}

/** Base64 in either alphabet, padded or not. */
function parseBytes(text: string): Uint8Array {
  const alphabet = /[-_]/.test(text) ? /^[A-Za-z0-9_-]*(={0,2})$/ : /^[A-Za-z0-9+/]*(={0,2})$/;
  const [, padding] = alphabet.exec(text) ?? [];
  const whole = text.length % 4 === 0;
  if (padding === undefined || (!whole && padding !== '') || text.length % 4 === 1)
    throw new Error(`"${text}" is no base64`);
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

/** By name or by number; the number has to have a name. */
function parseEnum(type: DescEnum, text: string): number {
  const value =
    type.values.find(({ name }) => name === text) ??
    (/^[+-]?[0-9]+$/.test(text) ? type.values.find(({ number }) => number === Number(text)) : undefined);
  if (value === undefined) throw new Error(`"${text}" is no value of ${type.typeName}`);
  return value.number;
}

function parseMessage(type: DescMessage, text: string): Message {
  switch (type.typeName) {
    case 'google.protobuf.Timestamp':
      return fromJson(type, text);
    case 'google.protobuf.Duration':
      return parseDuration(text);
    case 'google.protobuf.FieldMask':
      return create(FieldMaskSchema, { paths: text === '' ? [] : text.split(',') });
    case 'google.protobuf.Value':
    case 'google.protobuf.Struct':
      return fromJsonString(type, text);
    case 'google.protobuf.Empty':
      if (text !== '' && text !== '{}') throw new Error(`"${text}" is neither empty nor "{}"`);
      return create(type);
    default: {
      const [value] = type.fields;
      if (!/^google\.protobuf\.\w+Value$/.test(type.typeName) || value?.fieldKind !== 'scalar')
        throw new Error(`a ${type.typeName} cannot be written as text`);
      const wrapper = reflect(type);
      wrapper.set(value, parseScalar(value.scalar, text));
      return wrapper.message;
    }
  }
}

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const SECOND_NS = 1_000_000_000n;

/** A sequence of decimal numbers with units, such as "1h30m" or "-1.5s". */
function parseDuration(text: string): Message {
  const [, sign, amounts = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const units = [...amounts.matchAll(/([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/gy)];
  const read = units.reduce((length, [all]) => length + all.length, 0);
  const bare = units.some(([, whole = '', fraction = '']) => whole + fraction === '');
  if (amounts !== '0' && (amounts === '' || bare || read !== amounts.length))
    throw new Error(`"${text}" is no duration, such as "1.5s" or "1m30s"`);
  let ns = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of units) {
    const unitNs = UNIT_NS[unit] ?? 0n;
    ns += BigInt(whole || 0) * unitNs + (BigInt(fraction || 0) * unitNs) / 10n ** BigInt(fraction.length);
  }
  if (ns >= 2n ** 63n) throw new Error(`"${text}" is out of range`);
  if (sign === '-') ns = -ns;
  return create(DurationSchema, { seconds: ns / SECOND_NS, nanos: Number(ns % SECOND_NS) });
}

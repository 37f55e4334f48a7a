import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CORPUS } from './corpus.js';
import { Fuzzer } from './fuzzer.js';
import { layoutOf } from './layout.js';
import { minimise } from './minimise.js';
import { check, LIBRARY, type Subject } from './oracle.js';

/** Enough to find a serious flaw within seconds; `npm run fuzz` runs for longer. */
const EXECUTIONS = 3_000;

function fuzz(subject: Subject, seed: number, executions = EXECUTIONS) {
  const fuzzer = new Fuzzer(subject, seed, CORPUS);
  for (let count = 0; count < executions; count++) {
    const finding = fuzzer.step();
    if (finding !== null) return { finding, fuzzer };
  }
  return { finding: null, fuzzer };
}

it('a few thousand mutated DNS responses, and random texts for the readers of text, show no flaw', () => {
  const { finding, fuzzer } = fuzz(LIBRARY, 1);
  assert.equal(finding, null);
  assert.ok(fuzzer.stats.outcomes > 100, 'mutants go many ways');
});

it('the same seed makes the same run', () => {
  const runs = [1, 2].map(() => fuzz(LIBRARY, 7, 1_000));
  assert.equal(runs[0]?.fuzzer.stats.outcomes, runs[1]?.fuzzer.stats.outcomes);
});

describe('the fuzzer finds a reader that', () => {
  const { classify, readResponse } = LIBRARY;
  const broken: Readonly<Record<string, Subject>> = {
    'throws only MalformedMessage': {
      classify,
      // Reads past the end of some messages.
      readResponse: (message, type) => {
        if (layoutOf(message).records.length === 1) message.readUInt16BE(message.length - 1);
        return readResponse(message, type);
      },
    },
    'takes less than 10 ms': {
      classify,
      readResponse: (message, type) => {
        const until = process.cpuUsage().user + (message.includes(Buffer.from([0xc0, 0x0b])) ? 15_000 : 0);
        while (process.cpuUsage().user < until);
        return readResponse(message, type);
      },
    },
    'allocates in proportion': {
      classify,
      // Allocates memory for as many records as the header says.
      readResponse: (message, type) => {
        const room = Buffer.alloc(64 * message.readUInt16BE(6));
        const response = readResponse(message, type);
        return { ...response, refused: response.refused + room.length * 0 };
      },
    },
    'holds what it gives': {
      classify,
      // Gives an address that is not in the octets.
      readResponse: (message, type) => {
        const response = readResponse(message, type);
        const octets = [...message.subarray(-4)].map((octet, index) => (octet + (index === 0 ? 1 : 0)) & 0xff);
        return message.length % 7 === 0 ? { ...response, addresses: [octets.join('.')] } : response;
      },
    },
    'agrees with the rules': {
      classify,
      // Leaves out an address.
      readResponse: (message, type) => {
        const response = readResponse(message, type);
        return response.addresses.length === 3 ? { ...response, addresses: response.addresses.slice(1) } : response;
      },
    },
  };

  for (const [property, subject] of Object.entries(broken))
    it(`violates this property: ${property}`, () => {
      const { finding } = fuzz(subject, 1, 20 * EXECUTIONS);
      assert.ok(finding !== null && 'input' in finding);
      // A valid message is compared with its own records before it is compared with the rules.
      const same = property === 'agrees with the rules' ? 'reads what is valid' : property;
      assert.ok([property, same].includes(finding.property), `${finding.property}: ${finding.detail}`);
      assert.equal(check(LIBRARY, finding.input).flaw, null, 'the library is not to blame');
      if (property.startsWith('takes')) return; // Every attempt at a shorter one would take as long.
      const small = minimise(subject, finding.input, finding);
      assert.ok(small.message.length <= finding.input.message.length);
      assert.equal(check(subject, small).flaw?.property, finding.property);
    });
});

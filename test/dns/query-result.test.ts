import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Failure, isEmpty, type Reason } from '../../lib/dns/failure.js';
import { type QueryResult, summarise, toOutcome, toResolution, withHistory } from '../../lib/dns/query-result.js';
import type { Response } from '../../lib/dns/response.js';
import type { SearchScope } from '../../lib/dns/search-list.js';

const question = { hostname: 'svc.ns', type: 'A' } as const;
const server = { host: '10.0.0.1', port: 53 };
const bits = { dnssecOk: false, checkingDisabled: false };

function outcomeOf(parts: Partial<Response>) {
  const response = {
    rcode: 'NOERROR',
    truncated: false,
    addresses: [],
    services: [],
    refused: 0,
    ttlMs: 5_000,
    ...parts,
  };
  return toOutcome(question, { response, server, transport: 'udp', bits });
}

function result(hostname: string, reason: Reason): QueryResult {
  const failure = { message: reason, hostname, server: '10.0.0.1:53' };
  const outcome: QueryResult['outcome'] = isEmpty(reason)
    ? { kind: 'empty', failure: { ...failure, reason }, ttlMs: 0 }
    : { kind: 'failed', failure: { ...failure, reason } };
  return { question: { hostname, type: 'A' }, outcome, last: null };
}

describe('the outcome of a response', () => {
  it('says in plain words why there is no address', () => {
    const messageOf = (parts: Partial<Response>): string => {
      const outcome = outcomeOf(parts);
      return outcome.kind === 'addresses' ? '' : outcome.failure.message;
    };
    const intro = 'A of "svc.ns": 10.0.0.1:53 answered ';
    assert.equal(messageOf({}), `${intro}NODATA (the name exists, but has no A records)`);
    assert.equal(
      messageOf({ refused: 1 }),
      `${intro}NODATA (the name has 1 A record, but no connection can be opened to such an address)`,
    );
    assert.equal(messageOf({ rcode: 'NXDOMAIN' }), `${intro}NXDOMAIN (no such name)`);
    assert.equal(messageOf({ rcode: 'SERVFAIL' }), `${intro}SERVFAIL`);
    assert.equal(messageOf({ truncated: true }), `${intro}over TCP with TC set and no address`);
  });

  it('is partial when the response is truncated', () => {
    assert.deepEqual(outcomeOf({ truncated: true, addresses: ['10.1.0.1'] }), {
      kind: 'addresses',
      addresses: ['10.1.0.1'],
      ttlMs: 5_000,
      partial: true,
    });
  });

  it('is a failure by its RCODE, whatever the response holds', () => {
    for (const [rcode, reason] of [
      ['SERVFAIL', 'servfail'],
      ['REFUSED', 'refused'],
      ['NOTIMP', 'rcode'],
    ] as const) {
      const outcome = outcomeOf({ rcode, addresses: ['10.1.0.1'] });
      assert.equal(outcome.kind === 'failed' && outcome.failure.reason, reason);
    }
  });
});

describe('a failure after several attempts', () => {
  const last: Failure<'timeout'> = { reason: 'timeout', message: 'last', hostname: 'svc.ns', server: '10.0.0.2:53' };
  const first: Failure = { reason: 'servfail', message: 'first', hostname: 'svc.ns', server: '10.0.0.1:53' };

  it('lists the earlier ones and ends with the advice', () => {
    assert.equal(withHistory(last, [first], null).message, 'last (before that: 10.0.0.1:53 SERVFAIL)');
    assert.equal(withHistory(last, [], 'do this').message, 'last (do this)');
    assert.equal(withHistory(last, [first], 'do this').message, 'last (before that: 10.0.0.1:53 SERVFAIL; do this)');
    assert.equal(withHistory(last, [], null), last);
  });
});

describe('a search without addresses', () => {
  /** As of a search list that is not a pod's. */
  const noForm: SearchScope = { decisive: new Set(['a', 'b', 'c']), serviceName: null };

  it('is reported by a failure before NODATA before NXDOMAIN, with the other names', () => {
    const chosen = (...results: QueryResult[]): string => {
      const [only] = summarise(results, noForm, 'svc.ns') as [QueryResult];
      return only.outcome.kind === 'addresses' ? '' : only.outcome.failure.message;
    };
    assert.equal(chosen(result('a', 'nxdomain')), 'nxdomain');
    assert.equal(chosen(result('a', 'nxdomain'), result('b', 'nodata')), 'nodata (nor found as a)');
    assert.equal(
      chosen(result('a', 'servfail'), result('b', 'nodata'), result('c', 'nxdomain')),
      'servfail (nor found as b, c)',
    );
  });

  it('is reported by the preferred name among equals', () => {
    const [chosen] = summarise([result('a', 'nxdomain'), result('svc.ns', 'nxdomain')], noForm, 'svc.ns') as [
      QueryResult,
    ];
    const { name, outcomes } = toResolution([chosen]);
    assert.equal(name, 'svc.ns');
    const outcome = outcomes.get('A');
    assert.ok(outcome?.kind === 'empty');
    assert.deepEqual([outcome.reason, outcome.error.code], ['nxdomain', 'ERR_HEADLESS_DNS_NXDOMAIN']);
  });

  describe('with the search list of a pod', () => {
    const hostname = 'svc.ns';
    const own = 'svc.ns.svc.cluster.local';
    const other = 'svc.ns.web.svc.cluster.local';
    const scope: SearchScope = { decisive: new Set([other, own]), serviceName: own };
    const summary = (...results: QueryResult[]): [string, string] => {
      const [only, ...more] = summarise(results, scope, hostname) as [QueryResult];
      assert.deepEqual(more, []);
      const { outcome } = only;
      return [
        outcome.kind,
        outcome.kind === 'addresses' ? '' : `${only.question.hostname}: ${outcome.failure.message}`,
      ];
    };

    it('is empty if every candidate in the cluster was denied, whatever came of the others', () => {
      for (const failure of ['servfail', 'refused', 'timeout', 'unreachable', 'malformed'] as const)
        assert.deepEqual(summary(result(other, 'nxdomain'), result(own, 'nxdomain'), result(hostname, failure)), [
          'empty',
          `${own}: nxdomain (nor found as ${other}, ${hostname}: ${failure.toUpperCase()})`,
        ]);
    });

    it("is reported by the Service's own name, also where another name exists", () => {
      const [, message] = summary(result(other, 'nodata'), result(own, 'nxdomain'), result(hostname, 'nodata'));
      assert.equal(message, `${own}: nxdomain (nor found as ${other}, ${hostname})`);
    });

    it('is failed if a candidate in the cluster failed or was not asked for', () => {
      assert.deepEqual(summary(result(other, 'nxdomain'), result(own, 'servfail'), result(hostname, 'refused')), [
        'failed',
        `${own}: servfail (nor found as ${other}, ${hostname}: REFUSED)`,
      ]);
      assert.deepEqual(summary(result(hostname, 'timeout')), ['failed', `${hostname}: timeout`]);
      assert.equal(summary(result(other, 'nxdomain'), result(hostname, 'timeout'))[0], 'failed');
    });

    it('leaves out a record type that only failed outside the cluster', () => {
      const aaaa: QueryResult = { ...result(hostname, 'servfail'), question: { hostname, type: 'AAAA' } };
      const results = [result(other, 'nxdomain'), result(own, 'nxdomain'), result(hostname, 'nodata'), aaaa];
      assert.deepEqual(
        summarise(results, scope, hostname).map(({ question }) => question),
        [{ hostname: own, type: 'A' }],
      );
    });
  });
});

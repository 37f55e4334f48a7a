import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AgeHistogram } from '../../bench/fleet/age-histogram.js';
import { FleetNews } from '../../bench/fleet/news.js';
import { PodHistory } from '../../bench/fleet/pod-history.js';
import { QueryRate } from '../../bench/fleet/query-rate.js';

test('a histogram of ages keeps their exact mean and maximum, and quantiles to 10 ms', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (ages, percentile) => {
        const histogram = new AgeHistogram();
        for (const age of ages) histogram.add(age);
        const ascending = ages.toSorted((a, b) => a - b);
        assert.equal(histogram.count, ages.length);
        assert.equal(histogram.maxMs, ascending.at(-1));
        assert.equal(histogram.meanMs, ages.reduce((sum, age) => sum + age, 0) / ages.length);
        const exact = ascending[Math.ceil((percentile / 100) * ages.length - 1e-9) - 1] ?? 0;
        const found = histogram.quantileMs(percentile / 100);
        assert.ok(found >= exact && found <= exact + 10, `${found} for ${exact}`);
      },
    ),
  );
});

test('a histogram without ages has no mean and no quantile', () => {
  const histogram = new AgeHistogram();
  assert.ok(Number.isNaN(histogram.meanMs));
  assert.ok(Number.isNaN(histogram.quantileMs(0.5)));
});

test('queries are counted by the second, empty seconds included', () => {
  const rate = new QueryRate();
  for (const at of [0, 999.9, 1_000, 3_500]) rate.count(at);
  assert.deepEqual(rate.between(0, 5_000), [2, 1, 0, 1, 0]);
  assert.deepEqual(rate.between(1_000, 2_000), [1]);
  assert.throws(() => rate.between(500, 2_000), RangeError);
});

const history = new PodHistory([
  { at: 0, pods: 3 },
  { at: 10_000, pods: 3 },
  { at: 20_000, pods: 4 },
]);
const [first, second, third] = history.changes(0).map(({ addresses }) => addresses[0] as string) as [
  string,
  string,
  string,
];

test('each set of pods has an address of its own that stands for it', () => {
  assert.deepEqual(
    [first, second, third].map((token) => [history.versionOf(token), history.podsOf(token)]),
    [
      [0, 3],
      [1, 3],
      [2, 4],
    ],
  );
  assert.throws(() => history.versionOf('192.0.2.1'), RangeError);
});

test('a server that lags has each change later, but has the first set from the beginning', () => {
  assert.deepEqual(
    history.changes(5_000).map(({ at }) => at),
    [Number.NEGATIVE_INFINITY, 15_000, 25_000],
  );
});

test('the age of news is counted for each change that a client is told, also where it missed the set between', () => {
  const news = new FleetNews(history);
  const client = news.client();
  client.told(1_000, [first]);
  client.told(22_000, [third]);
  // 12 s for the first change and 2 s for the second, additions and removals alike.
  assert.deepEqual(news.summarise(), {
    meanMs: 7_000,
    p99Ms: 12_000,
    maxMs: 12_000,
    lastKnowsMs: 2_000,
    unaware: 0,
    takenBack: 0,
  });
});

test('what a client finds at its start is no news', () => {
  const news = new FleetNews(history);
  news.client().told(30_000, [third]);
  assert.ok(Number.isNaN(news.summarise()?.meanMs));
});

test('where two sets are joined the additions are news at once, and the removals when the older set is gone', () => {
  const news = new FleetNews(history);
  const client = news.client();
  client.told(1_000, [second]);
  client.told(21_000, [second, third]);
  assert.equal(news.summarise()?.meanMs, 1_000);
  assert.equal(news.summarise()?.unaware, 1);
  client.told(25_000, [third]);
  assert.equal(news.summarise()?.meanMs, 3_000);
  assert.equal(news.summarise()?.unaware, 0);
  assert.equal(news.summarise()?.lastKnowsMs, 5_000);
});

test('news that is taken back is counted, and its age is that of the first time', () => {
  const news = new FleetNews(history);
  const client = news.client();
  client.told(1_000, [second]);
  client.told(21_000, [third]);
  client.told(22_000, [second]);
  assert.equal(news.summarise()?.lastKnowsMs, null);
  client.told(23_000, [third]);
  const summary = news.summarise();
  assert.equal(summary?.meanMs, 1_000);
  assert.equal(summary?.lastKnowsMs, 3_000);
  // One of the two changes that the history has.
  assert.equal(summary?.takenBack, 0.5);
});

test('a history without changes brings no news', () => {
  assert.equal(new FleetNews(new PodHistory([{ at: 0, pods: 1 }])).summarise(), null);
});

test('after an outage the last client that gets an answer counts', () => {
  const news = new FleetNews(history);
  const clients = [news.client(), news.client()];
  for (const client of clients) client.awaitAnswer();
  clients[0]?.answered(11_000);
  assert.equal(news.lastAnswerAfter(10_000), null);
  clients[1]?.answered(14_000);
  clients[0]?.answered(20_000);
  assert.equal(news.lastAnswerAfter(10_000), 4_000);
});

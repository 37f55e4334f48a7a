/**
 * The soak: `npm run soak -- --minutes 10`, and `npm run soak:rolling`. Exits 1 if any promise was broken. The last
 * line has the seed, which makes the same scenario again.
 */
import { FlagError, type Flags, readFlags, USAGE } from './flags.js';
import { rolling } from './rolling.js';
import { Screen } from './screen.js';
import { soak } from './soak.js';

function flags(): Flags {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

// Ends through `exit`, whose handlers take the pods along.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const wanted = flags();
if (wanted.help) console.log(USAGE);
else if (wanted.rolling) {
  if (!(await rolling(wanted.calls, new Screen(process.stdout)))) process.exitCode = 1;
} else {
  const seed = wanted.seed ?? Math.floor(Math.random() * 2 ** 32);
  const screen = new Screen(process.stdout);
  const { durationMs, pods } = wanted;
  const again = `npm run soak -- --seconds ${durationMs / 1_000} --pods ${pods} --seed ${seed}`;
  screen.print(`seed ${seed}, ${durationMs / 1_000} s, at most ${pods} pods`);
  const kept = await soak({ seed, durationMs, pods }, screen);
  screen.print(kept ? `Every promise was kept. Seed ${seed}` : `Promises were broken. Again: ${again}`);
  if (!kept) process.exitCode = 1;
}

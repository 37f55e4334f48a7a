/**
 * The soak: `npm run soak -- --minutes 10`, and `npm run soak:rolling`. Exits 1 if any rule was broken. The last line
 * has the seed, which gives the same scenario again.
 */
import { ProgressDisplay } from '../support/progress.js';
import { FlagError, type Flags, readFlags, USAGE } from './flags.js';
import { rolling } from './rolling.js';
import { soak } from './soak.js';

/** Where lines are not redrawn: how often progress is written. */
const PLAIN_EVERY_MS = 10_000;

function openDisplay(): ProgressDisplay {
  return new ProgressDisplay(process.stdout, { plainEveryMs: PLAIN_EVERY_MS });
}

function flags(): Flags {
  try {
    return readFlags(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

// `exit` runs the handlers that end the pods.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const wanted = flags();
if (wanted.help) console.log(USAGE);
else if (wanted.rolling) {
  if (!(await rolling(wanted.calls, openDisplay()))) process.exitCode = 1;
} else {
  const seed = wanted.seed ?? Math.floor(Math.random() * 2 ** 32);
  const display = openDisplay();
  const { durationMs, pods, everything } = wanted;
  const again = `npm run soak -- --seconds ${durationMs / 1_000} --pods ${pods} --seed ${seed}${everything ? ' --everything' : ''}`;
  display.print(`seed ${seed}, ${durationMs / 1_000} s, at most ${pods} pods`);
  const kept = await soak({ seed, durationMs, pods, everything }, display);
  display.print(kept ? `Every rule was kept. Seed ${seed}` : `Rules were broken. Again: ${again}`);
  if (!kept) process.exitCode = 1;
}

/** Prints each row of the table of faults with the tests that name it: `npm run faults`. */
import { FAULTS, testsByFault } from './table.js';

for (const [row, tests] of testsByFault()) {
  console.log(`\n${row}. ${FAULTS[row - 1]}`);
  for (const { file, name } of tests) console.log(`   ${file}: ${name}`);
  if (tests.length > 0) continue;
  console.log('   NO TEST');
  process.exitCode = 1;
}

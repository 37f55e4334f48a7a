/** Prints each row of the table of faults with the tests that cover it: `npm run faults`. */
import { FAULTS } from './faults.js';
import { testsByFault } from './table.js';

for (const [fault, tests] of testsByFault()) {
  console.log(`\n${fault}. ${FAULTS.get(fault)}`);
  for (const { file, title } of tests) console.log(`   ${file}: ${title}`);
  if (tests.length > 0) continue;
  console.log('   NO TEST');
  process.exitCode = 1;
}

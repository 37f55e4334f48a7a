/** The client as it should be written after what was found, to be pasted. Pure. */
import type { TargetFacts } from './facts.js';
import type { ClientAdvice, Finding, HeadlessAdvice } from './findings.js';

const CONNECTIONS = '// balance: { connections: 4 } is the only cure where one address has to stay';

/** All advice together; where two findings disagree, the heavier one, which comes first, is followed. */
export function clientCode(target: TargetFacts, findings: readonly Finding[]): string {
  const advice = findings.map(({ client }) => client);
  const needsConnections = findings.some(
    ({ id }) => id === 'cluster-ip' || id === 'one-address' || id === 'literal-address',
  );
  return codeOf(target, merge(advice), needsConnections);
}

/** The same for one finding; null where it asks nothing of the client. */
export function codeOfFinding(target: TargetFacts, { client }: Finding): string | null {
  return Object.keys(client).length === 0 ? null : codeOf(target, client, false);
}

/** Without the imports. */
export function callOfFinding(target: TargetFacts, finding: Finding): readonly string[] | null {
  const lines = codeOfFinding(target, finding)?.split('\n') ?? [];
  return lines.length === 0 ? null : lines.slice(lines.indexOf('') + 1);
}

function merge(all: readonly ClientAdvice[]): ClientAdvice {
  const target = all.find((advice) => advice.target !== undefined)?.target;
  const tls = all.find((advice) => advice.tls !== undefined)?.tls;
  const ca = all.find((advice) => advice.ca !== undefined)?.ca;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(target === undefined ? {} : { target }),
    ...(tls === undefined ? {} : { tls }),
    headless: mergeGroups(all.map(({ headless = {} }) => headless)),
    channel: [...new Set(all.flatMap(({ channel = [] }) => channel))],
  };
}

/** Of one option that is given twice, the first. */
function mergeGroups(all: readonly HeadlessAdvice[]): HeadlessAdvice {
  const merged: Record<string, Record<string, string>> = {};
  for (const advice of all)
    for (const [group, members] of Object.entries(advice)) merged[group] = { ...members, ...merged[group] };
  return merged;
}

/** `{ dns: { family: "'ipv6'" } }` as `dns: { family: 'ipv6' }`. */
function membersOf(headless: HeadlessAdvice): readonly string[] {
  return Object.entries(headless).map(
    ([group, members]) =>
      `${group}: { ${Object.entries(members)
        .map(([name, value]) => `${name}: ${value}`)
        .join(', ')} }`,
  );
}

function codeOf(facts: TargetFacts, advice: ClientAdvice, needsConnections: boolean): string {
  const { channel = [] } = advice;
  const headless = membersOf(advice.headless ?? {});
  const tls = advice.tls ?? facts.tls;
  const ca = tls ? (advice.ca ?? facts.ca) : null;
  const authorities = ca === null ? '' : `readFileSync('${ca}')`;
  const credentials = tls ? `credentials.createSsl(${authorities})` : 'credentials.createInsecure()';
  const members = [
    ...channel.map((option) => `${option},`),
    ...(headless.length > 0 ? [`headless: { ${headless.join(', ')} },`] : []),
    ...(needsConnections ? [CONNECTIONS] : []),
  ];
  return [
    ...(ca === null ? [] : ["import { readFileSync } from 'node:fs';"]),
    "import { credentials } from '@grpc/grpc-js';",
    "import { createHeadlessClient } from 'grpc-headless';",
    '',
    'const client = createHeadlessClient(',
    '  HelloClient,',
    `  '${advice.target ?? facts.text}',`,
    `  ${credentials},`,
    ...(members.length === 0 ? [] : ['  {', ...members.map((member) => `    ${member}`), '  },']),
    ');',
  ].join('\n');
}

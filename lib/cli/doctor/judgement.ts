/** All judgements: facts in, findings out, the heaviest first. Pure. */
import type { Facts } from './facts.js';
import { byWeight, type Finding } from './findings.js';
import { judgeCache } from './judge-cache.js';
import { judgeEnvironment } from './judge-environment.js';
import { judgeFamilies } from './judge-families.js';
import { judgeNames } from './judge-names.js';
import { judgePods } from './judge-pods.js';
import { judgeServers } from './judge-servers.js';
import { judgeService } from './judge-service.js';

const JUDGEMENTS: readonly ((facts: Facts) => readonly Finding[])[] = [
  judgeServers,
  judgeService,
  judgeNames,
  judgePods,
  judgeFamilies,
  judgeCache,
  judgeEnvironment,
];

export function judge(facts: Facts): readonly Finding[] {
  return byWeight(JUDGEMENTS.flatMap((judgement) => judgement(facts)));
}

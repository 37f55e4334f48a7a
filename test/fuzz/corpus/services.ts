/** SRV records: wrong lengths, targets that cannot be followed, addresses that are not the target's. */
import { encodeQuery } from '../../../lib/dns/message.js';
import { covers } from '../../faults/covers.js';
import { a, cname, name, pointer, QUESTION, record, response, srv, TYPE } from '../../support/wire.js';
import { malformed, type Shape, type ShapeParts, services, shape } from './shape.js';

const query = encodeQuery({ id: 0x1234, hostname: '_grpc._tcp.svc.ns', type: 'SRV', edns: false });
const SRV: ShapeParts = { query, type: 'SRV' };
const GOOD = srv(50_051, name('pod'));
const GLUE = a('10.0.0.1', { owner: name('pod') });
const FILL = malformed(/does not fill/);

function answers(...records: Buffer[]): Buffer {
  return response({ query, answers: records, additional: [GLUE] });
}

export const SERVICES: readonly Shape[] = [
  shape(
    'an SRV and the address of its target',
    covers(62),
    'RFC 2782',
    answers(GOOD),
    services('50051 pod 10.0.0.1'),
    SRV,
  ),
  ...[0, 1, 2, 5, 6].map((length) =>
    shape(
      `an SRV of RDLENGTH ${length}`,
      covers(10),
      'RFC 9267 section 5',
      answers(GOOD, record({ type: TYPE.SRV, rdata: Buffer.alloc(length, 1) })),
      FILL,
      SRV,
    ),
  ),
  shape('an SRV with octets after its target', covers(10), '', answers(srv(1, Buffer.from('\x01x\0\0'))), FILL, SRV),
  shape(
    'an SRV whose target goes beyond its record',
    covers(10),
    'RFC 9267 section 5',
    answers(srv(1, Buffer.from('\x0fa')), GOOD),
    FILL,
    SRV,
  ),
  shape(
    'an SRV whose target points to itself',
    covers(6),
    'c-ares',
    answers(srv(1, pointer(query.length + 18))),
    malformed(/point back/),
    SRV,
  ),
  shape(
    'an SRV whose target points forward',
    covers(6),
    '',
    answers(srv(1, pointer(0x3fff))),
    malformed(/point back/),
    SRV,
  ),
  shape(
    'an SRV whose target is compressed',
    null,
    'RFC 2782 forbids it, and RFC 3597 section 4 has it read',
    answers(srv(1, pointer(12 + 6 + 5))),
    services('1 svc.ns'),
    SRV,
  ),
  shape('an SRV with the target "."', covers(62), 'RFC 2782', answers(srv(0, name(''))), services('0 '), SRV),
  shape('an SRV with port 0', null, '', answers(srv(0, name('pod'))), { services: [], refused: 1 }, SRV),
  shape(
    'an SRV whose target has a dot inside a label',
    null,
    '',
    answers(srv(1, Buffer.from('\x05p.o.d\0'))),
    { services: [], refused: 1 },
    SRV,
  ),
  shape(
    'a malformed SRV of an unrelated owner',
    covers(15),
    '',
    answers(record({ type: TYPE.SRV, owner: name('x'), rdata: Buffer.alloc(3) }), GOOD),
    services('50051 pod 10.0.0.1'),
    SRV,
  ),
  shape(
    'an SRV of class CH',
    covers(12),
    '',
    answers(srv(1, name('pod'), { class: 3 }), GOOD),
    services('50051 pod 10.0.0.1'),
    SRV,
  ),
  shape(
    'an SRV at the end of a CNAME',
    covers(13),
    '',
    answers(cname(QUESTION, name('real')), srv(1, name('pod'), { owner: name('real') })),
    services('1 pod 10.0.0.1'),
    SRV,
  ),
  shape(
    'the address of a target in the answer section, which is not taken',
    covers(12),
    'RFC 2782',
    response({ query, answers: [GOOD, GLUE] }),
    services('50051 pod'),
    SRV,
  ),
  shape(
    'the broadcast address for a target',
    covers(29),
    '',
    response({ query, answers: [GOOD], additional: [a('255.255.255.255', { owner: name('pod') })] }),
    { services: ['50051 pod'], refused: 1 },
    SRV,
  ),
  shape(
    'the same SRV 2,000 times',
    covers(28),
    '',
    answers(...Array<Buffer>(2_000).fill(srv(1, name('p')))),
    {
      services: Array<string>(2_000).fill('1 p'),
    },
    SRV,
  ),
];

/** The table of options in README.zh-CN.md: what each English text of the README's table is in Chinese. */

export const CHINESE: Readonly<Record<string, string>> = {
  option: '选项',
  default: '默认值',
  meaning: '含义',
  'Members:': '成员：',
  // Defaults.
  unset: '未设置',
  'never ended': '从不结束',
  DNS: 'DNS',
  'the DNS client of this package': '本包自带的 DNS 客户端',
  "resolv.conf's": 'resolv.conf 中的值',
  "resolv.conf's, read again when the file changes": 'resolv.conf 中的值，文件变化时重新读取',
  "resolv.conf's, or else `1`": 'resolv.conf 中的值，否则为 `1`',
  "resolv.conf's `attempts`, or else `2`": 'resolv.conf 的 `attempts`，否则为 `2`',
  "resolv.conf's `timeout`, or else `1000`": 'resolv.conf 的 `timeout`，否则为 `1000`',
  // Meanings.
  'Milliseconds between two DNS queries.': '两次 DNS 查询之间的毫秒数。',
  'Each wait is the interval times a random number from 1 to 1 + jitter: clients spread out.':
    '每次等待时间为间隔乘以 1 到 1 + jitter 之间的随机数，使各客户端错开。',
  'Least milliseconds between two queries that failures, bursts or `refresh()` ask for; at most the interval.':
    '由失败、突发轮询或 `refresh()` 引起的两次查询之间的最短毫秒数；不超过间隔。',
  'For this many milliseconds after a change of the set, and while no pod is READY, DNS is asked every `minIntervalMs`. 0 turns it off.':
    'Pod 集合变化后的这段毫秒数内，以及没有 Pod 处于 READY 时，每隔 `minIntervalMs` 查询一次 DNS。0 表示关闭。',
  '`phased`: where a cache answers (TTLs count down from query to query), its four entries (DO and CD bits) are read in turn, each just after it expires.':
    '`phased`：如果应答来自缓存（TTL 随查询递减），则轮流读取它的四个条目（DO 和 CD 位），各在刚过期时读取。',
  "Asked in place of resolv.conf's.": '代替 resolv.conf 中的服务器接受查询。',
  '`auto`: A records, and AAAA only where A is NODATA.': '`auto`：查询 A 记录，仅当 A 为 NODATA 时查询 AAAA。',
  'Milliseconds to wait for one server in one attempt.': '一次尝试中等待一台服务器的毫秒数。',
  'Rounds over the servers in one query; the second asks for small datagrams.':
    '一次查询中遍历服务器的轮数；第二轮请求较小的数据报。',
  'Search list for names that are not absolute.': '用于非绝对域名的搜索列表。',
  'Names with fewer dots go through the search list first.': '点数少于此值的域名先走搜索列表。',
  'The resolv.conf to read.': '要读取的 resolv.conf。',
  'Replaces the DNS client, for instance in tests.': '代替 DNS 客户端，例如用于测试。',
  'Replaces DNS, for instance by `endpointSlices()`.': '代替 DNS，例如用 `endpointSlices()`。',
  "Keep calls in the client's topology zone.": '让调用留在客户端所在的拓扑可用区内。',
  '`least_request`: of two pods, the one with fewer calls in flight.':
    '`least_request`：在两个 Pod 中选进行中调用较少的一个。',
  "Pods compared for a call: gRFC A48's `choice_count`.": '每次调用比较的 Pod 数：即 gRFC A48 的 `choice_count`。',
  "Milliseconds until a pod that joins gets its whole share: Envoy's slow start.":
    '新加入的 Pod 达到完整份额所需的毫秒数：即 Envoy 的慢启动。',
  'Connect to some of the pods (compare gRFC A68).': '只连接一部分 Pod（参见 gRFC A68）。',
  'Most connections to one pod.': '到一个 Pod 的最大连接数。',
  'Failed calls are tried again, each time on another pod (gRFC A6).': '失败的调用会重试，每次换一个 Pod（gRFC A6）。',
  'Pods whose calls fail get no calls for a while.': '调用失败的 Pod 在一段时间内不再接收调用。',
  'Pods are asked whether they serve (gRFC A17).': '询问 Pod 是否可以提供服务（gRFC A17）。',
  '`keep`: NXDOMAIN and NODATA never empty a working set.': '`keep`：NXDOMAIN 和 NODATA 从不清空可用的集合。',
  "Milliseconds that a removed pod's idle connection is kept for its return.":
    '被移除的 Pod 的空闲连接为等待其返回而保留的毫秒数。',
  'Milliseconds until calls still open on a removed pod end with UNAVAILABLE.':
    '被移除的 Pod 上仍未结束的调用在多少毫秒后以 UNAVAILABLE 结束。',
};

/** @throws where the text has no translation: the error names it. */
export function chinese(english: string): string {
  const translation = CHINESE[english];
  if (translation === undefined)
    throw new Error(`test/options/chinese.ts has no translation of ${JSON.stringify(english)}: add it there`);
  return translation;
}

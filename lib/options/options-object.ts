/** Which objects can hold options by name. JavaScript reads any name of a `Map` or a `Promise`, too, and finds nothing. */

/** By their tags, because objects of another realm (Jest, `node:vm`) are no instances of this one's classes. */
const BUILT_IN =
  /^\[object (\w*Array|(?:Weak)?(?:Map|Set)|WeakRef|Date|Promise|Error|RegExp|URL(?:SearchParams)?|(?:Shared)?ArrayBuffer|DataView|String|Number|Boolean)\]$/;

/** True for plain objects, instances of the user's own classes and module namespaces. */
export function isOptionsObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && builtInName(value) === undefined;
}

/** `Map`, `Date`, `Array` …: what an object is that holds no options; undefined for all others. */
export function builtInName(value: object): string | undefined {
  return BUILT_IN.exec(Object.prototype.toString.call(value))?.[1];
}

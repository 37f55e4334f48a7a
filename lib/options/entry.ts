/**
 * What a schema of options is made of: options and groups of options. The types here derive the settings from a schema,
 * and make the compiler prove that a schema and the interface of its options have the same names and types.
 */

/** Reads one value: returns the setting, or throws `ERR_HEADLESS_OPTION`. */
export interface ValueReader<Setting> {
  /** The values that pass, in Markdown, for the documentation. */
  readonly allowed: string;
  read(value: unknown, path: string): Setting;
}

declare const INPUT: unique symbol;

/** A reader of values that users write as the type `Input`. */
export interface Check<Input, Setting = Input> extends ValueReader<Setting> {
  /** Never set. It makes `Input` part of the type, so that a `Check` of a narrower or wider input is another type. */
  readonly [INPUT]?: (value: Input) => Input;
}

/** One option, whatever its type. */
export interface AnyOption {
  /** Meaning, unit and sensible range, in sentences of Markdown. */
  readonly doc: string;
  readonly check: ValueReader<unknown>;
  /** As users would write it; null: decided by the part that owns the setting; absent: the option is required. */
  readonly default?: unknown;
  /** For the documentation: what applies without the option, where `default` is null. */
  readonly unset?: string;
}

/** Options under one key. */
export interface AnyGroup {
  readonly doc: string;
  readonly members: Members;
  /**
   * What applies without the group. `{}`: each member's default. `null`: the setting is null. A boolean: users may
   * write booleans, too; `true` is `{}`, `false` makes the setting null.
   */
  readonly default?: unknown;
  /** What users may write, for the error that refuses another value. */
  readonly example?: object;
}

export type Entry = AnyOption | AnyGroup;
export type Members = Readonly<Record<string, Entry>>;

/** Tells the two kinds of entries apart. */
export function isGroup(entry: Entry): entry is AnyGroup {
  return 'members' in entry;
}

/**
 * The members that document and check exactly the options of the interface `Options`. An optional member needs a
 * default; a required one must not have any.
 */
export type Schema<Options> = {
  readonly [Key in keyof Options]-?: Record<never, never> extends Pick<Options, Key>
    ? OptionalEntry<Exclude<Options[Key], undefined>>
    : RequiredEntry<Options[Key]>;
};

interface OptionOf<Input> extends AnyOption {
  readonly check: Check<Input, unknown>;
}

/** Not an `AnyGroup`: an index signature would let members pass that the interface does not have. */
interface GroupOf<Input> {
  readonly doc: string;
  readonly members: Schema<Exclude<Input, boolean>>;
  readonly example?: Exclude<Input, boolean>;
}

type OptionalEntry<Input> =
  | (OptionOf<Input> & ({ readonly default: Input } | { readonly default: null; readonly unset: string }))
  | (IsGroup<Input> extends true
      ? GroupOf<Input> & { readonly default: boolean extends Input ? boolean : Record<string, never> | null }
      : never);

type RequiredEntry<Input> =
  | (OptionOf<Input> & { readonly default?: never })
  | (IsGroup<Input> extends true ? GroupOf<Input> & { readonly default?: never } : never);

/** An object, or a boolean or an object. */
type IsGroup<Input> = [Exclude<Input, boolean>] extends [never]
  ? false
  : Exclude<Input, boolean> extends readonly unknown[] | ((...args: never[]) => unknown)
    ? false
    : [Exclude<Input, boolean>] extends [object]
      ? true
      : false;

/** The settings that a schema makes of options: complete, in the same groups, `null` where nothing applies. */
export type SettingsOf<M> = { readonly [Key in keyof M]: SettingOf<M[Key]> };

type SettingOf<E> = E extends { readonly members: infer M }
  ? SettingsOf<M> | (E extends { readonly default: boolean | null } ? null : never)
  : E extends { readonly check: ValueReader<infer Setting> }
    ? Setting | (E extends { readonly default: null } ? null : never)
    : never;

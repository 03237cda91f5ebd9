import { SearchAttributes } from '../../contracts/search-attributes.ts';

export interface RegisteredAttribute {
  readonly name: string;
  /** As the `temporal` command calls it: `Keyword`, `Int`, `Double`, `Bool`. */
  readonly type: string;
  /** Number of `temporal.api.enums.v1.IndexedValueType`. */
  readonly code: number;
}

/** An attribute whose name is taken by one of another type. */
export interface AttributeConflict extends RegisteredAttribute {
  readonly found: string;
}

const types = {
  KEYWORD: { type: 'Keyword', code: 2 },
  INT: { type: 'Int', code: 3 },
  DOUBLE: { type: 'Double', code: 4 },
  BOOL: { type: 'Bool', code: 5 },
} as const;

/** Those of other types are called by their numbers. */
const namesOfCodes = new Map<number, string>(Object.values(types).map(({ type, code }) => [code, type]));

/** All that Longhaul uses, as a namespace has to know them. */
export const registeredAttributes: readonly RegisteredAttribute[] = Object.values(SearchAttributes).map(
  ({ name, type }) => ({ name, ...types[type] }),
);

/**
 * What a namespace lacks.
 *
 * @param custom its attributes: the number of each one's type by its name
 */
export function lackingAttributes(custom: Readonly<Record<string, number>>): {
  readonly missing: readonly RegisteredAttribute[];
  readonly conflicts: readonly AttributeConflict[];
} {
  const at = ({ name }: RegisteredAttribute) => (Object.hasOwn(custom, name) ? custom[name] : undefined);
  return {
    missing: registeredAttributes.filter((attribute) => at(attribute) === undefined),
    conflicts: registeredAttributes.flatMap((attribute) => {
      const code = at(attribute);
      if (code === undefined || code === attribute.code) return [];
      return [{ ...attribute, found: namesOfCodes.get(code) ?? `type ${code}` }];
    }),
  };
}

/** Commands that register attributes, for a person who may do what this process may not. */
export function registerCommands(
  attributes: readonly RegisteredAttribute[],
  namespace: string,
): { readonly temporal: string; readonly cloud: string } {
  const temporal = attributes.map(({ name, type }) => ` --name ${name} --type ${type}`).join('');
  const cloud = attributes.map(({ name, type }) => ` --search-attribute "${name}=${type}"`).join('');
  return {
    temporal: `temporal operator search-attribute create --namespace ${namespace}${temporal}`,
    cloud: `tcld namespace search-attributes add --namespace ${namespace}${cloud}`,
  };
}

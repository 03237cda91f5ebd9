import { SearchAttributes } from '../../contracts/search-attributes.ts';

export interface RegisteredAttribute {
  readonly name: string;
  /** Name in the `temporal` command: `Keyword`, `Int`, `Double`, `Bool`. */
  readonly type: string;
  /** Number of `temporal.api.enums.v1.IndexedValueType`. */
  readonly code: number;
}

/** An attribute whose name has another type in the namespace. */
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

/** All attributes of Longhaul, in the form in which a namespace registers them. */
export const registeredAttributes: readonly RegisteredAttribute[] = Object.values(SearchAttributes).map(
  ({ name, type }) => ({ name, ...types[type] }),
);

/**
 * Returns the attributes that are missing in a namespace.
 *
 * @param custom its attributes: the number of the type by name
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

/** Commands that register attributes, for an operator with more permissions than this process. */
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

/** Returns the headers that authenticate a call. @param key an API key, or a token such as that of Entra ID */
export type Auth = (key: string) => Readonly<Record<string, string>>;

export const bearer: Auth = (key) => ({ authorization: `Bearer ${key}` });

/** The header of Azure OpenAI for keys. Its Entra tokens are sent by `bearer`. */
export const apiKey: Auth = (key) => ({ 'api-key': key });

/** The lines of a file or of a response, without empty lines. */
export async function* linesOf(chunks) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield line;
  }
  rest += decoder.decode();
  if (rest.trim()) yield rest;
}

/** Adds the rows of an output or error file by their `custom_id`. The service writes them in any order. */
export async function readResults(chunks, rows) {
  for await (const line of linesOf(chunks)) {
    const row = JSON.parse(line);
    rows.set(row.custom_id, row);
  }
}

/** The result of one request. A request without a row did not run, for example because the batch expired. */
export function mergedRow({ custom_id }, rows, batchStatus) {
  const row = rows.get(custom_id);
  if (row === undefined) return { custom_id, status: 'missing', reason: `the ${batchStatus} batch has no result` };
  const { response, error } = row;
  if (!error && response?.status_code === 200) return { custom_id, status: 'completed', response: response.body };
  const reason = error?.message ?? response?.body?.error?.message ?? `HTTP status ${response?.status_code}`;
  return { custom_id, status: 'failed', reason, response: response?.body };
}

// A study as a command of a shell.
import { safe } from "./new_json.js";

/** The command that creates a study. The token is in it by name only. */
export function command(origin, json) {
  const quoted = `'${safe(json.trim()).replaceAll("'", "'\\''")}'`;
  return [
    `curl -X POST ${origin}/v1/studies \\`,
    '  -H "Authorization: Bearer $TOKEN" \\',
    "  -H 'Content-Type: application/json' \\",
    `  --data-binary ${quoted}`,
  ].join("\n");
}

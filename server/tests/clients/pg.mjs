// Logs in to the connection strings on stdin, one a line, with npm's pg.
import { createInterface } from 'node:readline';
import pg from 'pg';

let passed = 0;
let failed = 0;
for await (const connectionString of createInterface({ input: process.stdin })) {
  const client = new pg.Client({ connectionString });
  try {
    await client.connect();
    await client.query('SELECT 1');
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(error.message);
  }
  await client.end().catch(() => {});
}
console.log(`${passed} logins of pg passed, ${failed} failed`);

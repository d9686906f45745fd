// All audits of npm graphql-http against a server: MUST, SHOULD and MAY.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
let passed = 0;
const failed = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  if (result.status === 'ok') {
    passed += 1;
  } else {
    const { status, headers } = result.response ?? {};
    failed.push(`${result.id} ${result.name}: ${result.reason} (status ${status}, ${headers?.get('content-type')})`);
  }
}
for (const line of failed) console.log(line);
console.log(`${passed} audits passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);

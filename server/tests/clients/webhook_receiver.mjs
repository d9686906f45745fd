// A receiver of webhooks, which verifies each message with npm's standardwebhooks and prints one line of JSON for it.
// Arguments: the port and the secret.
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const [port, secret] = process.argv.slice(2);
const webhook = new Webhook(secret);

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    let line;
    try {
      const { type, timestamp, data } = webhook.verify(body, request.headers);
      line = { id: request.headers['webhook-id'], type, timestamp, data };
    } catch (error) {
      line = { error: String(error), id: request.headers['webhook-id'] };
    }
    // Answered when the line is out, so that what was accepted is known to the test.
    process.stdout.write(`${JSON.stringify(line)}\n`, () => response.writeHead(line.error ? 401 : 204).end());
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('{"ready":true}\n'));

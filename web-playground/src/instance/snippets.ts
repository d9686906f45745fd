/** Code that connects with the URL. Passwords in it are percent-encoded, so that it needs no escaping. */
interface Snippet {
  name: string;
  /** Whether it works only with an instance that has a certificate. */
  verifies?: boolean;
  /** `requireTls`: whether the instance refuses clients without TLS. */
  text: (url: string, requireTls: boolean) => string;
}

const authorities = () => `curl -fsSo ca.pem '${new URL('ca.pem', document.baseURI).href}'`;
/** Clients that read `sslmode` differently from libpq get the URL without it. */
const bare = (url: string) => url.replace(/\?.*$/, '');
const host = (url: string) => new URL(bare(url).replace(/^postgres\w*:/, 'http:')).hostname.replace(/^\[|\]$/g, '');

const NODE_QUERY = `await client.connect();
const { rows } = await client.query('SELECT version()');
console.log(rows[0].version);
await client.end();`;

const RUST_QUERY = `    tokio::spawn(connection);
    let row = client.query_one("SELECT version()", &[]).await?;
    println!("{}", row.get::<_, String>(0));
    Ok(())
}`;

export const SNIPPETS: readonly Snippet[] = [
  { name: 'psql', text: (url) => `psql '${url}'` },
  {
    name: 'psql (verified)',
    verifies: true,
    text: (url) => `# Verifies the server: whoever is in between is refused.
${authorities()}
psql '${bare(url)}?sslmode=verify-full&sslrootcert=ca.pem'`,
  },
  {
    name: 'Node',
    text: (url, requireTls) =>
      requireTls
        ? `// npm install pg
// ${authorities()}
import { readFileSync } from 'node:fs';
import pg from 'pg';

const client = new pg.Client({
  connectionString: '${bare(url)}',
  ssl: { ca: readFileSync('ca.pem'), host: '${host(url)}' },
});
${NODE_QUERY}`
        : `// npm install pg
import pg from 'pg';

const client = new pg.Client('${url}');
${NODE_QUERY}`,
  },
  {
    name: 'Python',
    text: (url) => `# pip install "psycopg[binary]"
import psycopg

with psycopg.connect("${url}") as connection:
    print(connection.execute("SELECT version()").fetchone()[0])`,
  },
  {
    name: 'Rust',
    text: (url, requireTls) =>
      requireTls
        ? `// cargo add tokio --features full && cargo add tokio-postgres native-tls postgres-native-tls
// ${authorities()}
use native_tls::{Certificate, TlsConnector};
use postgres_native_tls::MakeTlsConnector;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = "${bare(url)}?sslmode=require";
    let authorities = Certificate::stack_from_pem(&std::fs::read("ca.pem")?)?;
    let mut tls = TlsConnector::builder();
    for authority in authorities {
        tls.add_root_certificate(authority);
    }
    let (client, connection) = tokio_postgres::connect(url, MakeTlsConnector::new(tls.build()?)).await?;
${RUST_QUERY}`
        : `// cargo add tokio --features full && cargo add tokio-postgres
use tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> Result<(), tokio_postgres::Error> {
    let url = "${url}";
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
${RUST_QUERY}`,
  },
];

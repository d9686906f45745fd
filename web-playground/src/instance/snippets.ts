/** Code that connects with the URL. Passwords in it are percent-encoded, so that it needs no escaping. */
export const SNIPPETS: readonly { name: string; verifies?: boolean; text: (url: string) => string }[] = [
  { name: 'psql', text: (url) => `psql '${url}'` },
  {
    name: 'psql (verified)',
    verifies: true,
    text: (url) => `# Verifies the server: whoever is in between is refused.
curl -fsSo ca.pem '${new URL('ca.pem', document.baseURI).href}'
psql '${url.replace(/\?.*$/, '')}?sslmode=verify-full&sslrootcert=ca.pem'`,
  },
  {
    name: 'Node',
    text: (url) => `// npm install pg
import pg from 'pg';

const client = new pg.Client('${url}');
await client.connect();
const { rows } = await client.query('SELECT version()');
console.log(rows[0].version);
await client.end();`,
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
    text: (url) => `// cargo add tokio --features full && cargo add tokio-postgres
use tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> Result<(), tokio_postgres::Error> {
    let url = "${url}";
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let row = client.query_one("SELECT version()", &[]).await?;
    println!("{}", row.get::<_, String>(0));
    Ok(())
}`,
  },
];

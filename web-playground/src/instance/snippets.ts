import { connectionParts } from './connection-parts';

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
/** With the verification of the server, where it requires TLS. */
const verifying = (url: string, requireTls: boolean) => (requireTls ? `${bare(url)}?sslmode=verify-full&sslrootcert=ca.pem` : url);
const fetchAuthorities = (comment: string, requireTls: boolean) => (requireTls ? `${comment} ${authorities()}\n` : '');

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
    name: '.env',
    text: (url, requireTls) => `${fetchAuthorities('#', requireTls)}DATABASE_URL='${verifying(url, requireTls)}'`,
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
  ssl: { ca: readFileSync('ca.pem'), host: '${connectionParts(url).host}' },
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
    name: 'Go',
    text: (url, requireTls) => `// go get github.com/jackc/pgx/v5
${fetchAuthorities('//', requireTls)}package main

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"
)

func main() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, "${verifying(url, requireTls)}")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close(ctx)
	var version string
	if err := conn.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		log.Fatal(err)
	}
	fmt.Println(version)
}`,
  },
  {
    name: 'JDBC',
    text: (url, requireTls) => `// Gradle: implementation("org.postgresql:postgresql:42.7.8")
${fetchAuthorities('//', requireTls)}import java.sql.DriverManager;

public class Main {
    public static void main(String[] args) throws Exception {
        var url = "${jdbc(url, requireTls)}";
        try (var connection = DriverManager.getConnection(url);
             var result = connection.createStatement().executeQuery("SELECT version()")) {
            result.next();
            System.out.println(result.getString(1));
        }
    }
}`,
  },
  {
    name: '.NET',
    text: (url, requireTls) => `// dotnet add package Npgsql
${fetchAuthorities('//', requireTls)}using Npgsql;

await using var source = NpgsqlDataSource.Create(@"${npgsql(url, requireTls).replaceAll('"', '""')}");
await using var command = source.CreateCommand("SELECT version()");
Console.WriteLine(await command.ExecuteScalarAsync());`,
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

function jdbc(url: string, requireTls: boolean): string {
  const { host, port, database, user, password } = connectionParts(url);
  const address = host.includes(':') ? `[${host}]` : host;
  const properties = new URLSearchParams({ user, password, ...(requireTls && { sslmode: 'verify-full', sslrootcert: 'ca.pem' }) });
  // A plus sign is not decoded to a space. The dots of a hidden password stay readable.
  return `jdbc:postgresql://${address}:${port}/${encodeURIComponent(database)}?${String(properties).replaceAll('+', '%20').replaceAll('%E2%80%A2', '•')}`;
}

function npgsql(url: string, requireTls: boolean): string {
  const { host, port, database, user, password } = connectionParts(url);
  const quoted = (value: string) => (/^[\w.:-]*$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`);
  const values = { Host: host, Port: port, Database: database, Username: user, Password: password, ...(requireTls && { 'SSL Mode': 'VerifyFull', 'Root Certificate': 'ca.pem' }) };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(';');
}

//! The rules of a server about who may log in, as far as clients see them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use toygres_domain::instance::{Endpoint, InstanceSpec};

use super::SessionError;

/// Version 3.0 of the protocol.
const PROTOCOL: u32 = 3 << 16;
/// `invalid_authorization_specification`: before it has asked for a password, a server means `pg_hba.conf`.
const REFUSED: &str = "28000";
/// The longest message of a server that is read.
const MAX_ERROR: u32 = 8192;

/// Whether the server refuses the owner without TLS. Nobody logs in: it asks for the password of whoever it does not refuse.
pub(crate) async fn requires_tls(endpoint: &Endpoint, spec: &InstanceSpec) -> Result<bool, SessionError> {
    let mut stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
    stream.set_nodelay(true)?;
    let parameters = format!("user\0{}\0database\0{}\0\0", spec.username, spec.database);
    let length = u32::try_from(parameters.len() + 8).map_err(|_| SessionError::Protocol("the names are too long".to_owned()))?;
    stream.write_all(&[&length.to_be_bytes(), &PROTOCOL.to_be_bytes(), parameters.as_bytes()].concat()).await?;
    match stream.read_u8().await? {
        b'R' => Ok(false),
        b'E' => {
            let length = stream.read_u32().await?.clamp(4, MAX_ERROR) - 4;
            let mut message = Vec::new();
            (&mut stream).take(u64::from(length)).read_to_end(&mut message).await?;
            let field = |code: u8| message.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(&[code]));
            let text = |code: u8| String::from_utf8_lossy(field(code).unwrap_or_default()).into_owned();
            if text(b'C') == REFUSED { Ok(true) } else { Err(SessionError::Server(text(b'C'), text(b'M'))) }
        }
        _ => Err(SessionError::Protocol("the answer to the start of a session is not one of PostgreSQL".to_owned())),
    }
}

//! Finds the processes of this machine that belong to a cluster, whichever control plane started them.
//!
//! A process belongs to a cluster if it is PostgreSQL, runs as the owner of the data directory, and works in that very directory
//! (by device and inode: a renamed directory is still the same one, and a copy of it is another one). Texts that a process has in
//! its arguments, such as a `cluster_name`, identify nothing: every program can have them.
//!
//! The working directory of another user's process cannot be read everywhere (root in a container has no permission to trace; there
//! is no cheap way on macOS), and a server that was just started has not changed to it yet. Then the arguments of the server name
//! its directory, and a child process is one of a server without another directory.
//!
//! A process that cannot be inspected, for example because this one has too many files open, is an error. It is not taken for a process
//! that does not exist, unless it belongs to another account that hides it.

use std::{
    collections::HashMap,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::error::{Error, IoContext, Result};

/// A process of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The process id.
    pub(super) pid: u32,
    /// Whether it is the server (the postmaster) rather than a child process.
    pub(super) server: bool,
}

/// What distinguishes the processes of one cluster from all others.
#[derive(Debug)]
pub(super) struct ClusterIdentity {
    name: String,
    data: PathBuf,
    /// The directory and its owner; `None` if it does not exist.
    directory: Option<(FileId, u32)>,
}

/// A file, whatever it is called: device and inode.
type FileId = (u64, u64);

/// A process that is PostgreSQL, of whichever cluster.
#[derive(Clone, Debug)]
struct Process {
    pid: u32,
    parent: u32,
    owner: u32,
    /// The arguments; those of a child process are replaced by its title.
    arguments: Vec<String>,
    /// Its working directory; `None` if that cannot be read, or is not the data directory yet.
    directory: Option<FileId>,
}

impl ClusterIdentity {
    /// The identity of the cluster in a data directory. `name` is its `cluster_name`, which the titles of its child processes
    /// contain.
    pub(super) fn of(name: &str, data: &Path) -> Result<Self> {
        let directory = match data.metadata() {
            Ok(metadata) => Some(((metadata.dev(), metadata.ino()), metadata.uid())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(format_args!("look at {}", data.display())),
        };
        Ok(Self { name: name.to_owned(), data: data.to_owned(), directory })
    }

    /// Whether both are the same existing directory.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.directory.is_some() && self.directory == other.directory
    }

    /// Whether `pid` is alive and the server of the cluster.
    pub(super) fn is_server(&self, pid: u32) -> Result<bool> {
        let process = read(pid).context(format_args!("look at the process {pid}"))?;
        Ok(process.is_some_and(|process| !process.is_child() && self.owns_server(&process)))
    }

    /// Every process of the cluster.
    pub(super) fn processes(&self) -> Result<Vec<Found>> {
        let all: HashMap<u32, Process> =
            all().context("list the processes of this machine")?.into_iter().map(|process| (process.pid, process)).collect();
        let owned = all
            .values()
            .filter(|process| if process.is_child() { self.owns_child(process, all.get(&process.parent)) } else { self.owns_server(process) });
        Ok(owned.map(|process| Found { pid: process.pid, server: !process.is_child() }).collect())
    }

    /// Whether a server is this cluster's.
    fn owns_server(&self, process: &Process) -> bool {
        self.works_here(process).unwrap_or_else(|| process.data().is_some_and(|data| is_or_was(data, &self.data)))
    }

    /// Whether a child process is this cluster's. The title also contains names that users choose, so only its start is compared.
    fn owns_child(&self, process: &Process, parent: Option<&Process>) -> bool {
        self.works_here(process).unwrap_or_else(|| {
            let named = process.title().and_then(|title| title.strip_prefix(self.name.as_str())).is_some_and(|rest| rest.starts_with(": "));
            // The parent of an orphan is not PostgreSQL.
            named && parent.is_none_or(|parent| self.owns_server(parent))
        })
    }

    /// Whether a process works in the data directory, if that is known.
    fn works_here(&self, process: &Process) -> Option<bool> {
        let (directory, owner) = self.directory?;
        if process.owner != owner {
            return Some(false);
        }
        process.directory.map(|working| working == directory)
    }
}

impl Process {
    /// `None` if this is not PostgreSQL.
    fn with_arguments(pid: u32, arguments: Vec<String>) -> Option<Self> {
        let process = Self { pid, parent: 0, owner: 0, arguments, directory: None };
        let program = process.arguments.first()?;
        (process.is_child() || Path::new(program).file_name().is_some_and(|name| name == "postgres")).then_some(process)
    }

    fn title(&self) -> Option<&str> {
        self.arguments.first()?.strip_prefix("postgres: ")
    }

    fn is_child(&self) -> bool {
        self.title().is_some()
    }

    /// The data directory in the arguments of a server.
    fn data(&self) -> Option<&Path> {
        let at = self.arguments.iter().position(|argument| argument == "-D")?;
        self.arguments.get(at + 1).map(Path::new)
    }
}

/// Whether the data directory `present` is, or was before its home was renamed, `named`.
fn is_or_was(named: &Path, present: &Path) -> bool {
    let place = |data: &Path| {
        let home = data.parent()?;
        let name = home.file_name()?.to_str()?;
        // `.removed-x` was `x`.
        let name = name.strip_prefix('.').and_then(|rest| rest.split_once('-')).map_or(name, |(_, name)| name);
        Some((home.parent()?.to_owned(), name.to_owned(), data.file_name()?.to_owned()))
    };
    place(named).is_some_and(|named| place(present) == Some(named))
}

/// Sends a signal. It is not an error if the process does not exist any more.
pub(super) fn signal(pid: u32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid.cast_signed()), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Error::Io { what: format!("send {signal} to the server process"), source: errno.into() }),
    }
}

/// Reads a process; `None` if it does not exist, has ended, or is not PostgreSQL.
#[cfg(target_os = "linux")]
fn read(pid: u32) -> io::Result<Option<Process>> {
    let file = |name: &str| gone(std::fs::read(format!("/proc/{pid}/{name}")));
    let executes_postgres = || {
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        program.is_ok_and(|program| program.file_name().is_some_and(|name| name == "postgres"))
    };
    let Some(arguments) = arguments(|| file("cmdline"), executes_postgres)? else { return Ok(None) };
    let arguments = String::from_utf8_lossy(&arguments).split('\0').map(str::to_owned).collect();
    let Some(mut process) = Process::with_arguments(pid, arguments) else { return Ok(None) };
    let Some(status) = file("status")? else { return Ok(None) };
    let status = String::from_utf8_lossy(&status).into_owned();
    let number = |field: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(field))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    };
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "its status is malformed");
    process.parent = number("PPid:").ok_or_else(malformed)?;
    process.owner = number("Uid:").ok_or_else(malformed)?;
    process.directory = match std::fs::metadata(format!("/proc/{pid}/cwd")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        outcome => match gone(outcome)? {
            // A server is started in the root directory.
            Some(directory) => Some((directory.dev(), directory.ino())).filter(|directory| !is_root(*directory)),
            None => return Ok(None),
        },
    };
    Ok(Some(process))
}

/// The arguments of a process, which are empty once it has ended. They are also empty for a moment after it has begun to execute its
/// program, when whoever started it knows already that it does: it is read again until that has passed.
#[cfg(any(test, target_os = "linux"))]
fn arguments(mut read: impl FnMut() -> io::Result<Option<Vec<u8>>>, executes_postgres: impl Fn() -> bool) -> io::Result<Option<Vec<u8>>> {
    for _ in 0..1000 {
        let Some(arguments) = read()? else { return Ok(None) };
        if !arguments.is_empty() || !executes_postgres() {
            return Ok(Some(arguments));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "it has begun to execute PostgreSQL, and has no arguments yet"))
}

#[cfg(target_os = "linux")]
fn is_root(directory: FileId) -> bool {
    std::fs::metadata("/").is_ok_and(|root| (root.dev(), root.ino()) == directory)
}

/// `None` if the process has exited, or is one of another account that this one may not see (`hidepid`).
#[cfg(target_os = "linux")]
fn gone<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn all() -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        if let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            found.extend(read(pid)?);
        }
    }
    Ok(found)
}

#[cfg(not(target_os = "linux"))]
fn read(pid: u32) -> io::Result<Option<Process>> {
    Ok(ps(&["-p", &pid.to_string()])?.pop())
}

#[cfg(not(target_os = "linux"))]
fn all() -> io::Result<Vec<Process>> {
    ps(&["-ax"])
}

#[cfg(not(target_os = "linux"))]
fn ps(which: &[&str]) -> io::Result<Vec<Process>> {
    let mut command = std::process::Command::new("ps");
    let output = command.args(which).args(["-ww", "-o", "pid=,ppid=,uid=,command="]).stdin(std::process::Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(parse_ps).collect())
}

/// Reads a line of `ps`, which separates the arguments by spaces that a path can contain too.
#[cfg(any(test, not(target_os = "linux")))]
fn parse_ps(line: &str) -> Option<Process> {
    let mut rest = line;
    let mut number = || {
        let (number, after) = rest.trim_start().split_once(' ')?;
        rest = after;
        number.parse().ok()
    };
    let (pid, parent, owner) = (number()?, number()?, number()?);
    let command = rest.trim_start();
    let arguments = match command.split_once(" -D ") {
        Some((program, rest)) if !command.starts_with("postgres: ") => {
            let data = rest.split_once(" -c ").map_or(rest, |(data, _)| data);
            vec![program.trim_end_matches(" --single").to_owned(), "-D".to_owned(), data.to_owned()]
        }
        _ => vec![command.to_owned()],
    };
    Some(Process { parent, owner, ..Process::with_arguments(pid, arguments)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: FileId = (1, 1);
    const ELSEWHERE: FileId = (1, 2);

    fn cluster() -> ClusterIdentity {
        ClusterIdentity { name: "abc".to_owned(), data: "/t/instances/abc/data".into(), directory: Some((HERE, 70)) }
    }

    fn process(directory: Option<FileId>, arguments: &[&str]) -> Process {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Process { owner: 70, directory, ..Process::with_arguments(1, arguments).unwrap() }
    }

    fn server(directory: Option<FileId>, data: &str) -> Process {
        process(directory, &["/usr/lib/postgresql/15/bin/postgres", "-D", data, "-c", "cluster_name=abc"])
    }

    #[test]
    fn the_directory_in_which_a_process_works_decides() {
        let owns = |process: &Process| cluster().owns_server(process);
        assert!(owns(&server(Some(HERE), "/t/instances/abc/data")));
        assert!(owns(&server(Some(HERE), "/before/it/was/moved/data")));
        assert!(!owns(&server(Some(ELSEWHERE), "/t/instances/abc/data")), "a copy, or another mount");
        assert!(!owns(&Process { owner: 71, ..server(Some(HERE), "/t/instances/abc/data") }), "another user's");
        let child = |directory, title| cluster().owns_child(&process(directory, &[title]), None);
        assert!(child(Some(HERE), "postgres: abc: checkpointer "));
        assert!(!child(Some(ELSEWHERE), "postgres: abc: checkpointer "));
    }

    #[test]
    fn where_that_is_unknown_the_arguments_decide() {
        let owns = |data: &str| cluster().owns_server(&server(None, data));
        assert!(owns("/t/instances/abc/data"));
        assert!(owns("/t/instances/.staging-abc/data"), "before it was renamed");
        assert!(!owns("/t/instances/abcd/data") && !owns("/copy/instances/abc/data") && !owns("/t/instances/abc"));
        let child = |title, parent: Option<&Process>| cluster().owns_child(&process(None, &[title]), parent);
        let (own, other) = (server(None, "/t/instances/abc/data"), server(None, "/copy/instances/abc/data"));
        assert!(child("postgres: abc: checkpointer ", Some(&own)) && child("postgres: abc: checkpointer ", None));
        assert!(!child("postgres: abc: checkpointer ", Some(&other)), "of the server of a copy");
        assert!(!child("postgres: abcd: checkpointer ", None));
        // A database of another cluster that is named like this cluster.
        assert!(!child("postgres: other: app cluster_name=abc 127.0.0.1(1) idle", None));
    }

    #[test]
    fn a_server_that_has_just_begun_to_execute_has_not_ended() {
        let mut reads = vec![Some(b"postgres\0-D".to_vec()), Some(Vec::new()), Some(Vec::new())];
        assert_eq!(arguments(|| Ok(reads.pop().unwrap()), || true).unwrap().as_deref(), Some(&b"postgres\0-D"[..]));
        assert_eq!(arguments(|| Ok(Some(Vec::new())), || false).unwrap(), Some(Vec::new()), "it has ended, or is another program");
        assert_eq!(arguments(|| Ok(None), || true).unwrap(), None);
        assert!(arguments(|| Ok(Some(Vec::new())), || true).is_err());
    }

    #[test]
    fn other_programs_are_not_postgresql() {
        for arguments in [&["sleep", "60", "cluster_name=abc"][..], &["sh", "-c", "postgres -D /t/instances/abc/data"], &["psql", "-D"], &[""], &[]] {
            assert!(Process::with_arguments(1, arguments.iter().map(|argument| (*argument).to_owned()).collect()).is_none(), "{arguments:?}");
        }
    }

    #[test]
    fn what_ps_writes_is_read() {
        let server = parse_ps("  7     1   501 /Library/Postgre SQL/bin/postgres -D /Users/a b/instances/abc/data -c cluster_name=abc").unwrap();
        assert_eq!((server.pid, server.parent, server.owner), (7, 1, 501));
        assert_eq!(server.data(), Some(Path::new("/Users/a b/instances/abc/data")));
        assert_eq!(parse_ps("8 7 501 postgres: abc: app -D x -c y").unwrap().title(), Some("abc: app -D x -c y"));
        assert!(parse_ps("9 7 501 sleep 60 cluster_name=abc").is_none());
    }
}

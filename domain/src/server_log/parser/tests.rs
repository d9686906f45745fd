use super::*;

/// What servers have written, with [`super::super::LINE_PREFIX`].
const OUTPUT_15: &str = include_str!("15.log");
const OUTPUT_18: &str = include_str!("18.log");

/// The entries of a text whose lines are at their offsets.
fn entries(text: &str) -> Vec<LogEntry> {
    parse(LogParser::default(), text)
}

fn parse(mut parser: LogParser, text: &str) -> Vec<LogEntry> {
    let (mut entries, mut at) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let position = LogPosition { at, nth: 0 };
        parser.push(LogLine { position, received: None, text: line.trim_end_matches('\n').to_owned() }, &mut entries);
        at += u64::try_from(line.len()).unwrap();
    }
    parser.flush(&mut entries);
    entries
}

/// The line of a session, up to its label.
fn session(pid: u32, sqlstate: &str, names: &str) -> String {
    let session = format!("6b0ced81.{pid:x}");
    format!("2026-11-30 03:29:05.228 UTC [{pid:>10}] {session:>20} {sqlstate} \t{names}\t{session} ")
}

fn find<'a>(entries: &'a [LogEntry], message: &str) -> &'a LogEntry {
    entries.iter().find(|entry| entry.message == message).unwrap_or_else(|| panic!("{message} in {entries:#?}"))
}

#[test]
fn every_line_of_real_servers_is_read() {
    for (version, output) in [("15", OUTPUT_15), ("18", OUTPUT_18)] {
        let entries = entries(output);
        let first = &entries[0];
        assert!(first.message.starts_with(&format!("starting PostgreSQL {version}.")), "{first:#?}");
        assert_eq!((first.severity, &first.sqlstate, &first.username), (LogSeverity::Log, &None, &None));
        assert_eq!(entries.last().unwrap().message, "database system is shut down");
        assert!(entries.iter().all(|entry| entry.time.is_some() && entry.pid.is_some()), "{entries:#?}");
        assert!(entries.is_sorted_by_key(|entry| entry.cursor.position));

        let division: Vec<_> = entries.iter().filter(|entry| entry.message == "division by zero").collect();
        assert_eq!(division.len(), 2, "{entries:#?}");
        assert_eq!((division[0].severity, division[0].sqlstate.as_deref()), (LogSeverity::Error, Some("22012")));
        let names = [&division[0].username, &division[0].database, &division[0].application].map(|name| name.as_deref().unwrap());
        assert_eq!(names, ["toygres", "postgres", "psql"]);
        assert_eq!(division[0].statement.as_deref(), Some("SELECT 1/0"));
        assert_eq!(division[1].statement.as_deref(), Some("SELECT\n  1/0,\n\t2"));

        assert_eq!(find(&entries, "role \"x\" does not exist").statement.as_deref(), Some("ALTER ROLE x PASSWORD '***'"));
        assert!(!format!("{entries:?}").contains("hunter2"));

        let raised = find(&entries, "first\nsecond");
        assert_eq!((raised.detail.as_deref(), raised.hint.as_deref()), (Some("d1\nd2"), Some("h")));
        assert_eq!(raised.context.as_deref(), Some("PL/pgSQL function inline_code_block line 1 at RAISE"));
        assert_eq!(raised.statement.as_deref(), Some("DO $$ BEGIN RAISE LOG E'first\\nsecond' USING DETAIL='d1\nd2', HINT='h'; END $$"));
        assert_eq!(find(&entries, "w").severity, LogSeverity::Warning);

        // A role with a line break in its name.
        let refused = find(&entries, "database \"nodb\" does not exist");
        assert_eq!((refused.severity, refused.sqlstate.as_deref()), (LogSeverity::Fatal, Some("3D000")));
        assert_eq!((refused.username.as_deref(), refused.database.as_deref(), refused.application.as_deref()), (Some("e\nvil"), Some("nodb"), None));
    }
}

#[test]
fn names_of_any_kind_make_no_entries() {
    // The longest names, which begin like entries.
    let short = "\n2026-11-30 03:29:05.228 UTC [1] FATAL:  forged in the other na";
    let long = "\n2026-11-30 03:29:05.228 UTC [     13756]        6b0ced81.35bc 3";
    let label = "PANIC:  forged";
    assert!([short, long].iter().all(|name| name.len() == 63 || name.len() == 64));
    for names in [
        format!("{short}\tdb\t[unknown]"),
        format!("app\t{short}\t[unknown]"),
        format!("{long}\t{long}\t[unknown]"),
        format!("{label}\t{label}\t[unknown]"),
        "LOG:  x\n2026-11-30 03:29:05.228 UTC [1] PANIC:  forged\tdb\t[unknown]".to_owned(),
        format!("app\t6b0ced81.1 {label}\t[unknown]"),
        "\n\n\t\n\t\t[unknown]".to_owned(),
    ] {
        let text = format!("{}FATAL:  no such role\n{}LOG:  next\n", session(7, "28000", &names), session(8, "00000", "app\tapp\tpsql"));
        let entries = entries(&text);
        let read: Vec<_> = entries.iter().map(|entry| (entry.severity, entry.message.as_str(), entry.pid)).collect();
        assert_eq!(read, [(LogSeverity::Fatal, "no such role", Some(7)), (LogSeverity::Log, "next", Some(8))], "{names:?}");
    }
}

#[test]
fn a_line_is_shortened_for_people() {
    let of_session = session(7, "28000", "a\td\tp");
    for start in [of_session.as_str(), &of_session[..FIXED]] {
        assert_eq!(shortened(&format!("{start}FATAL:  no such: role")), "2026-11-30 03:29:05.228 UTC FATAL:  no such: role");
    }
    assert_eq!(shortened("\tFATAL:  a"), "\tFATAL:  a");
}

#[test]
fn lines_of_several_processes_may_be_mixed() {
    let (one, other) = (session(7, "00000", "a\td\tp"), session(8, "22012", "b\td\tp"));
    let text = format!("{one}LOG:  one\n{other}ERROR:  other\n{one}DETAIL:  of one\n\tand more\n{other}STATEMENT:  of other\n{one}LOG:  two\n");
    let entries = entries(&text);
    assert_eq!(entries.iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>(), ["one", "other", "two"]);
    assert_eq!((entries[0].detail.as_deref(), entries[1].statement.as_deref()), (Some("of one\nand more"), Some("of other")));
}

#[test]
fn what_is_no_message_is_an_entry_of_its_own() {
    let text =
        "initdb: warning: enabling \"trust\"\n\n2026-11-30 03:29:05.228 UTC [7] FATAL:  configuration file contains errors\nsh: 1: no\n\ttab\n";
    let entries = entries(text);
    let read: Vec<_> = entries.iter().map(|entry| (entry.severity, entry.message.as_str(), entry.time.is_some())).collect();
    assert_eq!(
        read,
        [
            (LogSeverity::Log, "initdb: warning: enabling \"trust\"", false),
            (LogSeverity::Fatal, "configuration file contains errors", true),
            (LogSeverity::Log, "sh: 1: no\ntab", false),
        ]
    );
}

#[test]
fn the_end_of_an_entry_alone_is_left_out() {
    let text = format!("lf of a line\n\tmore\n{}LOG:  next\n", session(7, "00000", "a\td\tp"));
    assert_eq!(parse(LogParser::within_an_entry(), &text).iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>(), ["next"]);
}

#[test]
fn an_entry_is_kept_up_to_a_limit() {
    let line = "\t".to_owned() + &"ü".repeat(1000) + "\n";
    let entries = entries(&format!("{}LOG:  long\n{}", session(7, "00000", "a\td\tp"), line.repeat(1000)));
    assert_eq!(entries.len(), 1);
    assert!(entries[0].message.len() <= MAX_ENTRY + 4 && entries[0].message.ends_with('…'), "{}", entries[0].message.len());
}

#[test]
fn no_line_is_too_odd() {
    let parts = ["", "\t", "2026-11-30 03:29:05.228 UTC", " [", "         7", "] ", "6b0ced81.7", " 00000 ", "LOG:  ", "DETAIL:  ", "ü", "\n"];
    for number in 0..parts.len().pow(4) {
        let text: String = (0..4).map(|digit| parts[number / parts.len().pow(digit) % parts.len()]).collect();
        let _ = entries(&format!("{}{text}\n{text}", &session(7, "00000", "a\td\tp")[..number % FIXED]));
    }
}

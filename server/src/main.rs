//! The binary `toygres`.

fn main() -> std::process::ExitCode {
    toygres_server::run()
}

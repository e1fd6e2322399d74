//! The `mcpfw` command: everything lives in the library.

fn main() -> std::process::ExitCode {
    mcpfw::cli::main()
}

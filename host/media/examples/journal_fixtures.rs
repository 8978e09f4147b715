//! Makes the fixtures of `fixtures/journal-v1` that are not there yet:
//! `cargo run -p fieldnotary-media --example journal_fixtures -- fixtures/journal-v1`.

#[path = "../tests/fixtures/make.rs"]
mod make;
#[path = "../tests/fixtures/pack.rs"]
mod pack;
#[path = "../tests/fixtures/told.rs"]
mod told;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(into) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("name the folder of the fixtures");
        return ExitCode::FAILURE;
    };
    for fixture in make::FIXTURES {
        let name = fixture.0;
        let made = std::env::temp_dir().join(format!("fieldnotary-{}-{name}", std::process::id()));
        let outcome = make::make(&made, fixture).and_then(|()| make::keep(&made, fixture, &into));
        let _ = std::fs::remove_dir_all(&made);
        match outcome {
            Ok(()) => println!("{name}: made"),
            Err(words) => println!("{name}: {words}"),
        }
    }
    ExitCode::SUCCESS
}

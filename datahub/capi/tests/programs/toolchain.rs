//! The C compiler, and the libraries as C programs get them.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The crate's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where libdatahub.a and libdatahub.so were built.
///
/// Cargo builds no C library for an integration test, so the test asks for it, in a target folder of
/// its own: the outer build may hold the lock of the usual one, or have another target.
pub(crate) fn libraries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--offline", "--lib", "--message-format=json", "--manifest-path"])
            .arg(root().join("Cargo.toml"))
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-libraries"))
            .env_remove("CARGO_BUILD_TARGET")
            .output()
            .expect("cargo runs");
        let messages = String::from_utf8_lossy(&built.stdout);
        let archive = messages.split('"').rfind(|text| text.ends_with("/libdatahub.a"));
        let archive = archive.unwrap_or_else(|| {
            panic!("cargo built no libdatahub.a:\n{}", String::from_utf8_lossy(&built.stderr))
        });
        Path::new(archive).parent().expect("a file has a folder").to_owned()
    })
}

/// How a program gets the library.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Link {
    Static,
    Shared,
}

/// Runs a compiler. A machine without one fails the test: nothing is skipped.
pub(crate) fn compile(compiler: &str, args: &[&OsStr]) -> Output {
    match Command::new(compiler).args(args).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "there is no '{compiler}' on this machine: the C API is tested with a real compiler; install \
             one (Debian: apt-get install gcc g++)"
        ),
        Err(error) => panic!("'{compiler}' cannot be run: {error}"),
    }
}

/// The flags under which the header and all C programs must be free of warnings.
pub(crate) const STRICT: [&str; 5] = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"];

/// A program that was compiled from C.
#[derive(Debug)]
pub(crate) struct Program {
    path: PathBuf,
    _folder: TempDir,
}

impl Program {
    /// Compiles `source`, a path below the crate's folder.
    pub(crate) fn build(source: &str, link: Link) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("program");
        let (include, source) = (root().join("include"), root().join(source));
        let archive = libraries().join("libdatahub.a");
        let mut args: Vec<&OsStr> = STRICT.iter().map(OsStr::new).collect();
        args.extend(["-O1", "-g", "-pthread", "-I"].map(OsStr::new));
        args.extend([include.as_os_str(), source.as_os_str(), OsStr::new("-o"), path.as_os_str()]);
        let search = format!("-Wl,-rpath,{}", libraries().display());
        match link {
            Link::Static => {
                args.push(archive.as_os_str());
                args.extend(["-lpthread", "-ldl", "-lm"].map(OsStr::new));
            }
            Link::Shared => {
                args.extend([OsStr::new("-L"), libraries().as_os_str(), OsStr::new(&search)]);
                args.push(OsStr::new("-ldatahub"));
            }
        }
        let output = compile("cc", &args);
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} does not compile:\n{complaints}", source.display());
        Self { path, _folder: folder }
    }

    /// A command that runs it.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Runs it to its end, which must be good; returns what it said.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().expect("the program starts");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} ({complaints})", output.status);
        String::from_utf8(output.stdout).expect("text")
    }
}

//! What `vltava` says of itself: help, version, and completion for shells.

use std::process::{Command, Output};

fn vltava(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vltava")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The subcommands that `vltava --help` lists, with what it says of each.
fn subcommands() -> Vec<(String, String)> {
    let output = vltava(&["--help"]);
    assert!(output.status.success());
    let help = text(&output.stdout).to_owned();
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in listed.lines() {
        match line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            Some(line) => {
                let (name, about) = line.split_once(' ').unwrap();
                found.push((name.to_owned(), about.trim().to_owned()));
            }
            // The text goes on.
            None => found.last_mut().unwrap().1.push_str(&format!(" {}", line.trim())),
        }
    }
    found
}

#[test]
fn each_subcommand_has_help_that_explains_each_option() {
    let subcommands = subcommands();
    assert!(subcommands.len() > 15, "{subcommands:?}");
    for (name, about) in subcommands.iter().filter(|(name, _)| name != "help") {
        assert!(about.len() > 20, "{name}: {about}");
        let output = vltava(&[name, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let help = text(&output.stdout);
        assert!(help.contains(&format!("Usage: vltava {name}")), "{help}");
        let lines: Vec<&str> = help.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("      --")) {
            // An explanation stands beside the option or below it.
            let beside = line.trim().split_once("  ").is_some_and(|(_, text)| !text.trim().is_empty());
            let below = lines.get(number + 1).is_some_and(|next| next.starts_with("          "));
            assert!(beside || below, "{name}: {line}");
        }
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    for arguments in [&["--version"][..], &["topics", "--version"], &["up", "--version"]] {
        let output = vltava(arguments);
        assert!(
            output.status.success() && text(&output.stdout).trim_end().ends_with(env!("CARGO_PKG_VERSION")),
            "{arguments:?}"
        );
    }
}

#[test]
fn shells_can_complete_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = vltava(&["completion", shell]);
        assert!(output.status.success(), "{shell}");
        let script = text(&output.stdout);
        for (name, _) in subcommands() {
            assert!(script.contains(&name), "{shell}: {name}");
        }
        assert!(script.contains("bootstrap-server"), "{shell}");
    }
    // Bash takes it as it is, and completes by it.
    let script = format!(
        "source <({} completion bash); COMP_WORDS=(vltava to); COMP_CWORD=1; _vltava vltava to vltava; echo \"${{COMPREPLY[*]}}\"",
        env!("CARGO_BIN_EXE_vltava")
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(text(&output.stdout), "topics\n", "{}", text(&output.stderr));
}

#[test]
fn a_word_that_is_no_subcommand_is_refused() {
    let output = vltava(&["topix"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("'topix'") && text(&output.stderr).contains("topics"),
        "{}",
        text(&output.stderr)
    );
}

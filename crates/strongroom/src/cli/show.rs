//! What several commands print.

use serde::Serialize;
use std::io::{BufRead as _, IsTerminal as _, Write};
use std::time::Duration;
use strongroom_ports::chain::Effects;
use strongroom_types::words::grid;
use strongroom_types::{AssetId, ChainId, Digest, MinorUnits, UnixMs};

/// JSON on one line.
pub fn json(out: &mut dyn Write, value: &impl Serialize) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", serde_json::to_string(value)?)?)
}

/// The 16 words of a digest, four by four, indented.
pub fn words(out: &mut dyn Write, digest: &Digest) -> anyhow::Result<()> {
    for line in grid(digest).lines() {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

/// A value, or `-`.
pub fn or_dash(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// An amount of an asset as the codec of its chain shows it; base units when this program has no
/// codec for the chain.
pub fn amount(asset: &AssetId, amount: MinorUnits) -> anyhow::Result<String> {
    Ok(match strongroom_chains::chain(&asset.chain())? {
        Some(codec) => codec.manifest().amount(asset, amount),
        // A guessed number of decimals would show another amount than the one that is signed.
        None => format!("{amount} base units of {asset}"),
    })
}

/// A fee on a chain, in its native asset.
pub fn fee(chain: &ChainId, fee: MinorUnits) -> anyhow::Result<String> {
    Ok(match strongroom_chains::chain(chain)? {
        Some(codec) => codec.manifest().display.amount(fee),
        None => format!("{fee} base units of the native asset of {chain}"),
    })
}

/// Effects of an intent, one payment or right per line.
pub fn effects(
    out: &mut dyn Write,
    chain: &ChainId,
    effects: &Effects,
    fee_max: MinorUnits,
) -> anyhow::Result<()> {
    for step in &effects.moves {
        let most = amount(&step.asset, step.at_most)?;

        // A range is shown as one: approvers must see the most that can leave.
        if step.at_least == step.at_most {
            writeln!(out, "    pays {most} to {}", step.to)?;
        } else {
            let least = amount(&step.asset, step.at_least)?;
            writeln!(out, "    pays {least} to {most} to {}", step.to)?;
        }
    }

    for right in &effects.authorities {
        let (to, subject) = (&right.to, &right.subject);
        match right.at_most {
            Some(most) => writeln!(out, "    lets {to} move up to {most} of {subject}")?,
            None => writeln!(out, "    gives {to} a right without limit over {subject}")?,
        }
    }
    Ok(writeln!(out, "    fee: at most {}", fee(chain, fee_max)?)?)
}

/// RFC 3339, UTC, milliseconds.
pub fn time(at: UnixMs) -> String {
    let (days, ms) = (at.0 / 86_400_000, at.0 % 86_400_000);

    // Days to a date in the proleptic Gregorian calendar, by eras of 400 years that begin on 1
    // March: the leap day is then the last day of a year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);

    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        ms % 1000
    )
}

/// Reads a duration: `30s`, `15m`, `1h`, `2d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration like 30s, 15m, 1h or 2d".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };

    // Zero is refused: it would make intents that have expired when they are signed.
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .filter(|s| *s > 0)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// Asks a person before something is signed. Without a terminal the answer is no: scripts say
/// `--yes`.
pub fn confirm(out: &mut dyn Write, question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }

    // An answer from a pipe was prepared before the text was shown.
    if !std::io::stdin().is_terminal() {
        return Err(super::fail::usage(
            "a terminal to confirm on is missing: look at what is shown, then use --yes",
        ));
    }

    write!(out, "{question} [yes/no] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;

    // The whole word is asked for: one key pressed by habit must not sign.
    if answer.trim() == "yes" {
        Ok(())
    } else {
        anyhow::bail!("not confirmed; nothing was signed")
    }
}

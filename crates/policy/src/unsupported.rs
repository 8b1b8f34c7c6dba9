//! Members of other versions of the table that this build does not evaluate: refused by name, never
//! ignored.

use strongroom_types::fields::FormError;
use strongroom_types::json::Json;
use strongroom_types::{Code, Refusal};

const PRICES: &str = "amounts are native base units; this build has no price feeds";
const SCREENING: &str = "this build has no screening";
const SIMULATION: &str = "this build does not simulate transactions";
const MODES: &str = "this build has no degraded modes";
const EXPIRY: &str = "an intent carries its own expiry";
const API_KEYS: &str = "initiators are users and groups";
const KINDS: &str = "this build knows transfers only";
const DESTINATIONS: &str =
    "destination types are allow_listed, allow_listed_new, internal and unknown";
const SCOPES: &str = "windows are per vault, tenant or initiator";
const ZONES: &str = "hours use a fixed `utc_offset_minutes`, time-zone data differ between builds";

/// Names of members that are not evaluated, with the reason.
const MEMBERS: &[(&str, &str)] = &[
    ("currency", PRICES),
    ("eur", PRICES),
    ("fiat", PRICES),
    ("price", PRICES),
    ("price_max_age_seconds", PRICES),
    ("prices", PRICES),
    ("tiers", PRICES),
    ("usd", PRICES),
    ("risk_score", SCREENING),
    ("sanctions", SCREENING),
    ("screening", SCREENING),
    ("simulation", SIMULATION),
    ("modes", MODES),
    ("expires_in_seconds", EXPIRY),
    ("api_keys", API_KEYS),
    ("contracts", KINDS),
    ("selectors", KINDS),
    ("tz", ZONES),
];

/// Members with a value that is not evaluated, and the reason.
const VALUES: &[(&str, &str, &str)] = &[
    ("kind", "price", PRICES),
    ("kind", "sanctions", SCREENING),
    ("kind", "screening", SCREENING),
    ("kind", "simulation", SIMULATION),
    ("kinds", "approve_allowance", KINDS),
    ("kinds", "contract_call", KINDS),
    ("kinds", "raw", KINDS),
    ("kinds", "stake", KINDS),
    ("kinds", "typed_message", KINDS),
    ("scope", "asset", SCOPES),
    ("scope", "destination", SCOPES),
    ("scope", "source", SCOPES),
    ("types", "contract", DESTINATIONS),
    ("types", "exchange", DESTINATIONS),
    ("types", "one_time", DESTINATIONS),
    ("types", "validator", DESTINATIONS),
];

/// Refusal for a text that did not read as a policy: `unsupported` if it names something this build
/// does not evaluate.
pub(crate) fn refusal(text: &str, error: FormError) -> Refusal {
    // Only a text that failed to parse is searched; one that parses has no unknown member.
    let found = Json::parse(text).ok().and_then(|json| find(&json, ""));

    match found {
        Some((path, reason)) => {
            let path = path.strip_prefix('.').unwrap_or(&path);
            Refusal::new(Code::Unsupported, format!("member `{path}`: {reason}"))
        }
        None => error.into(),
    }
}

/// `member` is the name of the member that holds `json`, directly or as an element of its list. The
/// path is built while the search returns, so that a search that finds nothing builds none.
fn find(json: &Json<'_>, member: &str) -> Option<(String, &'static str)> {
    match json {
        Json::Bool(_) => None,
        Json::Text(text) => {
            // A word such as `price` is harmless as a label: it counts under its own member only.
            let known = VALUES
                .iter()
                .find(|(name, value, _)| *name == member && value == text);
            known.map(|(_, value, reason)| (format!(" = {value}"), *reason))
        }

        Json::List(values) => values.iter().enumerate().find_map(|(at, value)| {
            find(value, member).map(|(path, reason)| (format!("[{at}]{path}"), reason))
        }),

        // A member that is not supported is named itself, not what is in it.
        Json::Object(members) => members.iter().find_map(|(name, value)| {
            let known = MEMBERS.iter().find(|(known, _)| *known == name.as_ref());
            let found = known
                .map(|(_, reason)| (String::new(), *reason))
                .or_else(|| find(value, name));
            found.map(|(path, reason)| (format!(".{name}{path}"), reason))
        }),
    }
}

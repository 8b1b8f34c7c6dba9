//! The API's description (OpenAPI 3.1), made from the handlers and from the types they use.
//!
//! `docs/openapi.json` is a committed copy, so that a change of the contract is a diff that a
//! reviewer sees. `BLESS=1 cargo test -p strongroom-api openapi` writes it again.

use crate::handlers::{acts, addresses, approvals, journal, status, tenants, transactions, vaults};
use strongroom_api_types::ProblemDetails;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Strongroom",
        description = "Signed intents, approvals and acts in; what became of them out."
    ),
    paths(
        status::show,
        acts::create,
        acts::show,
        tenants::show,
        vaults::list,
        addresses::show,
        transactions::create,
        transactions::list,
        transactions::show,
        transactions::timeline,
        transactions::cancel,
        approvals::list,
        approvals::decide,
        journal::checkpoint,
        journal::entries,
        journal::proof,
    ),
    components(schemas(ProblemDetails)),
    modifiers(&Bearer, &Problems)
)]
struct Description;

/// The description as JSON, one member per line.
///
/// # Errors
/// A description that is not JSON: a fault of this build.
pub fn text() -> Result<String, serde_json::Error> {
    Description::openapi().to_pretty_json()
}

/// Every path but the status takes a bearer key.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A bearer key of a tenant or of the operators."));
        if let Some(components) = &mut description.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
        }
        for (path, item) in &mut description.paths.paths {
            // The status is answered without a key: it says nothing of any tenant.
            if path == crate::ready::STATUS {
                continue;
            }
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                let bearer = utoipa::openapi::SecurityRequirement::new("bearer", [""; 0]);
                operation.security = Some(vec![bearer]);
            }
        }
    }
}

/// Every path may refuse.
struct Problems;

impl Modify for Problems {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for item in description.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                add_problem(operation);
            }
        }
    }
}

fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemDetails")))
        .build();

    let mut response = Response::new("Refused; `docs/errors/` has a row for each code");
    response
        .content
        .insert("application/problem+json".to_owned(), RefOr::T(content));

    // The response is `default` (OpenAPI 3.1), since every refusal has this one form, whatever its
    // status.
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), RefOr::T(response));
}

//! What each address needs: every route of the page and of the API stands in one table with its scope.

use std::fmt;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::Admin;
use crate::model::Scope;

/// Whose thing an address is about: that client decides whether the caller may touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The whole server: only callers who are not bound to one client.
    Server,
    /// Lists over what the caller may see; the handler narrows them to [`super::guard::Caller::client`].
    Own,
    /// The client named by `{client}`.
    Client,
    /// The client of the account named by `{login}`.
    Account,
    /// The client of the import (or upload) named by `{import}`.
    Import,
}

/// Who may call an address at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nobody needs to be signed in.
    Nothing,
    /// Somebody signed in, whatever their role: their own password, language, sign-out.
    SignedIn,
    /// A scope, for the client whose thing it is.
    Scope(Scope, Of),
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::SignedIn => f.write_str("signed-in"),
            Self::Scope(scope, of) => {
                let of = match of {
                    Of::Server => "server",
                    Of::Own => "own",
                    Of::Client => "client",
                    Of::Account => "account",
                    Of::Import => "import",
                };
                write!(f, "{scope} {of}")
            }
        }
    }
}

/// One address and method.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) method: Method,
    /// In axum's form: `/clients/{client}/accounts`.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) handler: MethodRouter<Admin>,
}

impl Route {
    fn new<H, T>(method: Method, path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        // `on` needs a filter, and every method used here has one.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        Self { method, path, needs, handler: on(filter, handler) }
    }

    /// Shows something; changes nothing.
    pub(super) fn get<H, T>(path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new(Method::GET, path, needs, handler)
    }

    /// Does something.
    pub(super) fn post<H, T>(path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new(Method::POST, path, needs, handler)
    }

    /// Another method, for the API.
    pub(super) fn other<H, T>(method: Method, path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Admin>,
        T: 'static,
    {
        Self::new(method, path, needs, handler)
    }
}

/// A scope for the client named in the path.
pub(super) const fn of_client(scope: Scope) -> Needs {
    Needs::Scope(scope, Of::Client)
}

/// A scope for the account named in the path.
pub(super) const fn of_account(scope: Scope) -> Needs {
    Needs::Scope(scope, Of::Account)
}

/// A scope for the import named in the path.
pub(super) const fn of_import(scope: Scope) -> Needs {
    Needs::Scope(scope, Of::Import)
}

/// A scope for the whole server.
pub(super) const fn of_server(scope: Scope) -> Needs {
    Needs::Scope(scope, Of::Server)
}

/// A scope; the handler shows only what belongs to the caller's client.
pub(super) const fn of_own(scope: Scope) -> Needs {
    Needs::Scope(scope, Of::Own)
}

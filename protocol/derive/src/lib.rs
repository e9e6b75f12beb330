//! `#[derive(Message)]`: decode, encode, size, defaults and schema of a Kafka message from the attributes of its fields.
//!
//! On the struct: `#[message(versions = "0-13", flexible = "9+")]`. A struct inside a message leaves out `versions`; one that was
//! never flexible leaves out `flexible`. `name = "..."` gives the official name where it is not the struct's. A struct that has
//! flexible versions ends with a field of type `TaggedFields`, which keeps the tagged fields that it does not know.
//!
//! On a field: `#[field(...)]` with, each optional,
//! - `versions = "3+"`: the versions that carry it; all of the struct's if left out;
//! - `nullable = "3+"`: where an `Option` may be null; wherever the field is if left out;
//! - `tag = 0`, `tagged = "12+"`: its number among the tagged fields, and the versions where it is one (all that carry it if left out);
//! - `default = -1`: the protocol's default; else zero, false or empty, but `None` for an `Option<Records>`;
//! - `ignorable`: a version that does not carry it drops it silently, where else a value other than the default is an error;
//! - `flexible = "none"`: its own flexible versions;
//! - `name = "..."`: the official name, where it is not the field's in CamelCase.
//!
//! A nullable field is an `Option`, an array a `Vec`; any type that implements `Value` will do.

mod attributes;
mod codec;
mod schema;
mod versions;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `Message`, `Value`, `Nullable`, `Described`, `IntoOwned` and `Default`; see the crate's documentation.
#[proc_macro_derive(Message, attributes(message, field))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let implementation = attributes::Struct::parse(&input).map(|message| {
        let codec = codec::implement(&message);
        let schema = schema::implement(&message);
        quote::quote! { #codec #schema }
    });
    implementation.unwrap_or_else(syn::Error::into_compile_error).into()
}

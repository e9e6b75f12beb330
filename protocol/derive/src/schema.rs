//! The constant that describes a message.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::{attributes::Struct, versions::Versions};

pub(crate) fn implement(message: &Struct) -> TokenStream {
    let Struct { ident, name, .. } = message;
    let elided = message.borrows.then(|| quote! { <'_> });
    let versions = message.versions.constant();
    let flexible = message.flexible.intersect(message.versions).constant();
    let fields = message.fields.iter().map(|field| {
        let name = &field.name;
        let ty = crate::codec::with_static_lifetime(&field.value);
        let versions = field.versions.constant();
        let nullable = field.nullable.constant();
        let tag = field.tag.map_or_else(|| quote! { None }, |tag| quote! { Some(#tag) });
        let tagged = field.tagged.constant();
        let flexible = match field.flexible.map(Versions::constant) {
            Some(versions) => quote! { Some(#versions) },
            None => quote! { None },
        };
        let default = field.default.as_ref().map(|expression| expression.to_token_stream().to_string());
        let default = default.unwrap_or_default();
        let ignorable = field.ignorable;
        quote! {
            ::vltava_protocol::wire::FieldSchema {
                name: #name,
                kind: <#ty as ::vltava_protocol::wire::Typed>::TYPE,
                versions: #versions,
                nullable: #nullable,
                tag: #tag,
                tagged: #tagged,
                flexible: #flexible,
                default: #default,
                ignorable: #ignorable,
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::vltava_protocol::wire::Described for #ident #elided {
            const SCHEMA: &'static ::vltava_protocol::wire::Schema = &::vltava_protocol::wire::Schema {
                name: #name,
                versions: #versions,
                flexible: #flexible,
                fields: &[#(#fields),*],
            };
        }

        #[automatically_derived]
        impl ::vltava_protocol::wire::Typed for #ident #elided {
            const TYPE: ::vltava_protocol::wire::Type = ::vltava_protocol::wire::Type::Struct(
                <Self as ::vltava_protocol::wire::Described>::SCHEMA,
            );
        }
    }
}

//! Decoding, encoding and sizing, field by field.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Lifetime, Type, visit_mut::VisitMut};

use crate::{
    attributes::{Field, Struct},
    versions::Versions,
};

pub(crate) fn implement(message: &Struct) -> TokenStream {
    let ident = &message.ident;
    let generics = message.borrows.then(|| quote! { <'a> });
    let elided = message.borrows.then(|| quote! { <'_> });
    let fixed = message.borrows.then(|| quote! { <'static> });

    let min_size = min_size(message);
    let read = read(message);
    let write = write(message);
    let wire_size = wire_size(message);
    let layout = layout(message);
    let names: Vec<_> = message.fields.iter().map(|field| &field.ident).chain(&message.unknown).collect();
    let defaults = message.fields.iter().map(default).chain(message.unknown.iter().map(|_| {
        quote! { ::vltava_protocol::wire::TaggedFields::new() }
    }));
    let owned = message.borrows.then(|| {
        quote! {
            impl #ident<'_> {
                /// Copies what this borrows from a frame.
                #[must_use]
                pub fn into_owned(self) -> #ident<'static> {
                    ::vltava_protocol::wire::IntoOwned::into_owned(self)
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::core::default::Default for #ident #elided {
            fn default() -> Self {
                Self { #(#names: #defaults),* }
            }
        }

        #[automatically_derived]
        impl<'a> ::vltava_protocol::wire::Value<'a> for #ident #generics {
            fn min_size(layout: ::vltava_protocol::wire::Layout) -> usize {
                #layout
                #min_size
            }

            fn read(
                reader: &mut ::vltava_protocol::wire::Reader<'a>,
                layout: ::vltava_protocol::wire::Layout,
            ) -> ::core::result::Result<Self, ::vltava_protocol::wire::DecodeError> {
                #layout
                #read
                Ok(Self { #(#names),* })
            }

            fn write(
                &self,
                writer: &mut ::vltava_protocol::wire::Writer,
                layout: ::vltava_protocol::wire::Layout,
            ) -> ::core::result::Result<(), ::vltava_protocol::wire::EncodeError> {
                #layout
                #write
                Ok(())
            }

            fn wire_size(
                &self,
                layout: ::vltava_protocol::wire::Layout,
            ) -> ::core::result::Result<usize, ::vltava_protocol::wire::EncodeError> {
                #layout
                let mut size = 0;
                #wire_size
                Ok(size)
            }
        }

        #[automatically_derived]
        impl<'a> ::vltava_protocol::wire::Nullable<'a> for #ident #generics {
            fn min_size_nullable(_: ::vltava_protocol::wire::Layout) -> usize {
                1
            }

            fn read_nullable(
                reader: &mut ::vltava_protocol::wire::Reader<'a>,
                layout: ::vltava_protocol::wire::Layout,
            ) -> ::core::result::Result<Option<Self>, ::vltava_protocol::wire::DecodeError> {
                ::vltava_protocol::wire::read_nullable_struct(reader, layout)
            }

            fn write_nullable(
                value: Option<&Self>,
                writer: &mut ::vltava_protocol::wire::Writer,
                layout: ::vltava_protocol::wire::Layout,
            ) -> ::core::result::Result<(), ::vltava_protocol::wire::EncodeError> {
                ::vltava_protocol::wire::write_nullable_struct(value, writer, layout)
            }

            fn wire_size_nullable(
                value: Option<&Self>,
                layout: ::vltava_protocol::wire::Layout,
            ) -> ::core::result::Result<usize, ::vltava_protocol::wire::EncodeError> {
                Ok(1 + match value {
                    Some(value) => ::vltava_protocol::wire::Value::wire_size(value, layout)?,
                    None => 0,
                })
            }
        }

        #[automatically_derived]
        impl<'a> ::vltava_protocol::wire::Message<'a> for #ident #generics {
            fn decode(
                reader: &mut ::vltava_protocol::wire::Reader<'a>,
                version: i16,
            ) -> ::core::result::Result<Self, ::vltava_protocol::wire::DecodeError> {
                ::vltava_protocol::wire::decode_message(reader, version)
            }

            fn encode(
                &self,
                writer: &mut ::vltava_protocol::wire::Writer,
                version: i16,
            ) -> ::core::result::Result<(), ::vltava_protocol::wire::EncodeError> {
                ::vltava_protocol::wire::encode_message(self, writer, version)
            }

            fn size(&self, version: i16) -> ::core::result::Result<usize, ::vltava_protocol::wire::EncodeError> {
                ::vltava_protocol::wire::message_size(self, version)
            }
        }

        #[automatically_derived]
        impl ::vltava_protocol::wire::IntoOwned for #ident #elided {
            type Owned = #ident #fixed;

            fn into_owned(self) -> Self::Owned {
                #ident { #(#names: ::vltava_protocol::wire::IntoOwned::into_owned(self.#names)),* }
            }
        }

        #owned
    }
}

/// Binds `version` and this struct's own `layout`.
fn layout(message: &Struct) -> TokenStream {
    let flexible = within(message.flexible, message.versions);
    quote! {
        let version = layout.version;
        let layout = ::vltava_protocol::wire::Layout { version, flexible: #flexible };
        let _ = (version, layout);
    }
}

/// A condition as an expression.
fn within(versions: Versions, known: Versions) -> TokenStream {
    versions.condition(known).unwrap_or_else(|| quote! { true })
}

/// `body`, if `version` lies in `versions`; nothing if it never does.
fn only_in(versions: Versions, message: &Struct, body: TokenStream) -> TokenStream {
    if versions.intersect(message.versions).is_empty() {
        return TokenStream::new();
    }
    match versions.condition(message.versions) {
        None => body,
        Some(condition) => quote! { if #condition { #body } },
    }
}

/// The layout of one field: the struct's, but for one that has flexible versions of its own.
fn field_layout(field: &Field, message: &Struct) -> TokenStream {
    match field.flexible {
        None => quote! { layout },
        Some(versions) => {
            let flexible = within(versions, message.versions);
            quote! { ::vltava_protocol::wire::Layout { version, flexible: #flexible } }
        }
    }
}

fn default(field: &Field) -> TokenStream {
    let value = if let Some(text) = field.default_text() {
        quote! { ::std::borrow::Cow::Borrowed(#text) }
    } else if field.defaults_to_none() {
        return quote! { None };
    } else if let Some(expression) = &field.default {
        expression.to_token_stream()
    } else {
        quote! { ::core::default::Default::default() }
    };
    if field.optional {
        quote! { Some(#value) }
    } else {
        value
    }
}

fn is_not_default(field: &Field) -> TokenStream {
    let ident = &field.ident;
    if field.optional && field.defaults_to_none() {
        return quote! { self.#ident.is_some() };
    }
    let ty = &field.value;
    let ty = if field.optional {
        quote! { Option<#ty> }
    } else {
        ty.to_token_stream()
    };
    let default = default(field);
    quote! { { let default: #ty = #default; self.#ident != default } }
}

fn min_size(message: &Struct) -> TokenStream {
    let terms = message.fields.iter().filter_map(|field| {
        let ty = &field.value;
        let layout = field_layout(field, message);
        let plain = quote! { <#ty as ::vltava_protocol::wire::Value<'a>>::min_size(#layout) };
        let nullable = quote! { <#ty as ::vltava_protocol::wire::Nullable<'a>>::min_size_nullable(#layout) };
        let size = if field.nullable.is_empty() {
            plain
        } else {
            match field.nullable.condition(field.inline()) {
                None => nullable,
                Some(condition) => quote! { if #condition { #nullable } else { #plain } },
            }
        };
        let term = only_in(field.inline(), message, quote! { size += #size; });
        (!term.is_empty()).then_some(term)
    });
    let tags = message.unknown.is_some().then(|| quote! { + usize::from(layout.flexible) });
    quote! {
        let mut size = 0;
        #(#terms)*
        size #tags
    }
}

/// An expression that reads the field's value where it is carried, in order or tagged.
fn read_value(field: &Field, message: &Struct, carried: Versions, reader: &TokenStream) -> TokenStream {
    let ty = &field.value;
    let layout = field_layout(field, message);
    let (struct_name, label) = (message.ident.to_string(), field.label());
    let read = quote! { <#ty as ::vltava_protocol::wire::Value<'a>>::read(#reader, #layout) };
    let nullable = quote! { <#ty as ::vltava_protocol::wire::Nullable<'a>>::read_nullable(#reader, #layout) };
    let value = if !field.optional {
        read
    } else {
        match field.nullable.condition(carried.intersect(message.versions)) {
            None => nullable,
            Some(condition) => quote! { if #condition { #nullable } else { #read.map(Some) } },
        }
    };
    quote! { { #value }.map_err(|error| error.within(#struct_name, #label))? }
}

fn read(message: &Struct) -> TokenStream {
    let inline = message.fields.iter().map(|field| {
        let ident = &field.ident;
        let ty = &field.value;
        let ty = if field.optional {
            quote! { Option<#ty> }
        } else {
            ty.to_token_stream()
        };
        let default = default(field);
        let mutable = field.tag.map(|_| quote! { mut });
        let carried = field.inline();
        let value = read_value(field, message, carried, &quote! { reader });
        let value = if carried.intersect(message.versions).is_empty() {
            default
        } else {
            match carried.condition(message.versions) {
                None => value,
                Some(condition) => quote! { if #condition { #value } else { #default } },
            }
        };
        quote! { let #mutable #ident: #ty = #value; }
    });
    let tagged = message.unknown.as_ref().map(|unknown| {
        let known = message.tagged().into_iter().map(|field| {
            let (tag, ident) = (field.tag, &field.ident);
            let value = read_value(field, message, field.tagged, &quote! { reader });
            let guard = field.tagged.condition(message.versions).map(|condition| quote! { if #condition });
            quote! { #tag #guard => { #ident = #value; Ok(true) } }
        });
        let arms: Vec<_> = known.collect();
        let closure = if arms.is_empty() {
            quote! { |_, _| Ok(false) }
        } else {
            quote! { |tag, reader| match tag { #(#arms)* _ => Ok(false) } }
        };
        let (struct_name, label) = (message.ident.to_string(), unknown.to_string());
        quote! {
            let #unknown = if layout.flexible {
                ::vltava_protocol::wire::TaggedFields::read(reader, #closure)
                    .map_err(|error| error.within(#struct_name, #label))?
            } else {
                ::vltava_protocol::wire::TaggedFields::new()
            };
        }
    });
    quote! { #(#inline)* #tagged }
}

/// A statement that calls `on_value` with a reference to the value, or `on_nullable` with an option of one.
fn with_value(
    field: &Field,
    message: &Struct,
    carried: Versions,
    on_value: impl Fn(TokenStream) -> TokenStream,
    on_nullable: impl Fn(TokenStream) -> TokenStream,
) -> TokenStream {
    let ident = &field.ident;
    if !field.optional {
        return on_value(quote! { &self.#ident });
    }
    let nullable = on_nullable(quote! { self.#ident.as_ref() });
    let Some(condition) = field.nullable.condition(carried.intersect(message.versions)) else {
        return nullable;
    };
    let (struct_name, label) = (message.ident.to_string(), field.label());
    let plain = on_value(quote! { value });
    quote! {
        if #condition {
            #nullable
        } else {
            let Some(value) = self.#ident.as_ref() else {
                return Err(::vltava_protocol::wire::EncodeError::UnexpectedNull {
                    message: #struct_name,
                    field: #label,
                    version,
                });
            };
            #plain
        }
    }
}

fn write_value(field: &Field, message: &Struct, carried: Versions) -> TokenStream {
    let ty = &field.value;
    let layout = field_layout(field, message);
    with_value(
        field,
        message,
        carried,
        |value| quote! { <#ty as ::vltava_protocol::wire::Value<'a>>::write(#value, writer, #layout)?; },
        |value| {
            quote! { <#ty as ::vltava_protocol::wire::Nullable<'a>>::write_nullable(#value, writer, #layout)?; }
        },
    )
}

/// Statements that add the value's size to `total`.
fn add_size(field: &Field, message: &Struct, carried: Versions, total: &TokenStream) -> TokenStream {
    let ty = &field.value;
    let layout = field_layout(field, message);
    with_value(
        field,
        message,
        carried,
        |value| quote! { #total += <#ty as ::vltava_protocol::wire::Value<'a>>::wire_size(#value, #layout)?; },
        |value| {
            quote! {
                #total += <#ty as ::vltava_protocol::wire::Nullable<'a>>::wire_size_nullable(#value, #layout)?;
            }
        },
    )
}

/// A check that a field which the version does not carry holds its default.
fn refuse_if_set(field: &Field, message: &Struct) -> TokenStream {
    if field.ignorable || field.versions.covers(message.versions) {
        return TokenStream::new();
    }
    let carried = within(field.versions, message.versions);
    let set = is_not_default(field);
    let (struct_name, label) = (message.ident.to_string(), field.label());
    quote! {
        if !(#carried) && #set {
            return Err(::vltava_protocol::wire::EncodeError::NotInVersion {
                message: #struct_name,
                field: #label,
                version,
            });
        }
    }
}

/// Whether the version carries the field tagged, and it must be written.
fn is_tagged_and_set(field: &Field, message: &Struct) -> TokenStream {
    let set = is_not_default(field);
    match field.tagged.condition(message.versions) {
        None => set,
        Some(condition) => quote! { #condition && #set },
    }
}

fn write(message: &Struct) -> TokenStream {
    let inline = message.fields.iter().map(|field| {
        let refuse = refuse_if_set(field, message);
        let carried = field.inline();
        let write = only_in(carried, message, write_value(field, message, carried));
        quote! { #refuse #write }
    });
    let tagged = message.unknown.as_ref().map(|unknown| {
        let name = message.ident.to_string();
        let fields = message.tagged();
        let flags: Vec<_> =
            fields.iter().map(|field| quote::format_ident!("has_{}", field.label())).collect();
        let conditions = fields.iter().map(|field| is_tagged_and_set(field, message));
        let writes = fields.iter().zip(&flags).map(|(field, flag)| {
            let tag = field.tag;
            let add = add_size(field, message, field.tagged, &quote! { length });
            let write = write_value(field, message, field.tagged);
            quote! {
                if #flag {
                    self.#unknown.forbid(#name, #tag)?;
                    self.#unknown.write_between(writer, next, #tag);
                    next = #tag + 1;
                    let mut length = 0;
                    #add
                    writer.unsigned_varint(#tag);
                    writer.unsigned_varint(length as u32);
                    #write
                }
            }
        });
        let (next, rest) = if fields.is_empty() {
            (TokenStream::new(), quote! { self.#unknown.write_between(writer, 0, u32::MAX); })
        } else {
            (quote! { let mut next = 0; }, quote! { self.#unknown.write_between(writer, next, u32::MAX); })
        };
        quote! {
            if layout.flexible {
                #(let #flags = #conditions;)*
                let count = self.#unknown.as_slice().len() #(+ usize::from(#flags))*;
                writer.unsigned_varint(count as u32);
                #next
                #(#writes)*
                #rest
            }
        }
    });
    quote! { #(#inline)* #tagged }
}

fn wire_size(message: &Struct) -> TokenStream {
    let inline = message.fields.iter().map(|field| {
        let carried = field.inline();
        only_in(carried, message, add_size(field, message, carried, &quote! { size }))
    });
    let tagged = message.unknown.as_ref().map(|unknown| {
        let fields = message.tagged().into_iter().map(|field| {
            let tag = field.tag;
            let condition = is_tagged_and_set(field, message);
            let add = add_size(field, message, field.tagged, &quote! { length });
            quote! {
                if #condition {
                    let mut length = 0;
                    #add
                    size += ::vltava_protocol::wire::TaggedFields::field_size(#tag, length);
                    count += 1;
                }
            }
        });
        let fields: Vec<_> = fields.collect();
        let count = if fields.is_empty() {
            quote! { let count }
        } else {
            quote! { let mut count }
        };
        quote! {
            if layout.flexible {
                #count = self.#unknown.as_slice().len();
                size += self.#unknown.wire_size();
                #(#fields)*
                size += ::vltava_protocol::wire::varint::size_u32(count as u32);
            }
        }
    });
    quote! { #(#inline)* #tagged }
}

/// The type with every lifetime `'static`, for constants.
pub(crate) fn with_static_lifetime(ty: &Type) -> Type {
    struct Fix;
    impl VisitMut for Fix {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            *lifetime = Lifetime::new("'static", Span::call_site());
        }
    }
    let mut ty = ty.clone();
    Fix.visit_type_mut(&mut ty);
    ty
}

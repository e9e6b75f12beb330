//! What the attributes say, checked.

use syn::{
    Data, DeriveInput, Expr, Fields, GenericArgument, Ident, Lit, LitInt, LitStr, PathArguments, Type,
    ext::IdentExt, spanned::Spanned,
};

use crate::versions::Versions;

/// A message or a struct inside one.
pub(crate) struct Struct {
    pub(crate) ident: Ident,
    /// The official name.
    pub(crate) name: String,
    /// Whether the struct borrows, as `Name<'a>`.
    pub(crate) borrows: bool,
    pub(crate) versions: Versions,
    pub(crate) flexible: Versions,
    pub(crate) fields: Vec<Field>,
    /// The field that keeps unknown tagged fields.
    pub(crate) unknown: Option<Ident>,
}

/// One field of the protocol.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// The official name.
    pub(crate) name: String,
    /// The type, without its `Option`.
    pub(crate) value: Type,
    /// Whether the type is an `Option`.
    pub(crate) optional: bool,
    pub(crate) versions: Versions,
    pub(crate) nullable: Versions,
    pub(crate) tag: Option<u32>,
    pub(crate) tagged: Versions,
    pub(crate) flexible: Option<Versions>,
    pub(crate) default: Option<Expr>,
    pub(crate) ignorable: bool,
}

impl Field {
    /// The field's name as a string.
    pub(crate) fn label(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// The versions where it lies among the fields in order.
    pub(crate) fn inline(&self) -> Versions {
        match self.tag {
            None => self.versions,
            // A field is tagged from some version on: what is left lies below.
            Some(_) => self.versions.intersect(Versions { first: 0, last: self.tagged.first - 1 }),
        }
    }
}

impl Struct {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let mut message = Self {
            ident: input.ident.clone(),
            name: input.ident.to_string(),
            borrows: borrows(input)?,
            versions: Versions::ALL,
            flexible: Versions::NONE,
            fields: Vec::new(),
            unknown: None,
        };
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("message")) {
            attribute.parse_nested_meta(|meta| {
                match meta.path.require_ident()?.to_string().as_str() {
                    "versions" => message.versions = Versions::parse(&meta.value()?.parse()?)?,
                    "flexible" => message.flexible = Versions::parse(&meta.value()?.parse()?)?,
                    "name" => message.name = meta.value()?.parse::<LitStr>()?.value(),
                    _ => return Err(meta.error("expected versions, flexible or name")),
                }
                Ok(())
            })?;
        }
        let Data::Struct(data) = &input.data else {
            return Err(syn::Error::new(input.span(), "a message is a struct"));
        };
        let Fields::Named(fields) = &data.fields else {
            return Err(syn::Error::new(input.span(), "a message has named fields"));
        };
        for field in &fields.named {
            let Some(ident) = field.ident.clone() else { continue };
            if last_segment(&field.ty).is_some_and(|segment| segment.ident == "TaggedFields") {
                message.unknown = Some(ident);
            } else {
                message.fields.push(Field::parse(ident, field, &message)?);
            }
        }
        if message.unknown.is_none() != message.flexible.intersect(message.versions).is_empty() {
            let text = "a struct has a field of type TaggedFields if, and only if, it has flexible versions";
            return Err(syn::Error::new(input.ident.span(), text));
        }
        Ok(message)
    }

    /// The tagged fields in the order of their tags.
    pub(crate) fn tagged(&self) -> Vec<&Field> {
        let mut fields: Vec<_> = self.fields.iter().filter(|field| field.tag.is_some()).collect();
        fields.sort_by_key(|field| field.tag);
        fields
    }
}

impl Field {
    fn parse(ident: Ident, field: &syn::Field, message: &Struct) -> syn::Result<Self> {
        let inner = option(&field.ty);
        let mut parsed = Self {
            name: camel_case(&ident.unraw().to_string()),
            ident,
            optional: inner.is_some(),
            value: inner.unwrap_or(&field.ty).clone(),
            versions: Versions::ALL,
            nullable: if inner.is_some() { Versions::ALL } else { Versions::NONE },
            tag: None,
            tagged: Versions::ALL,
            flexible: None,
            default: None,
            ignorable: false,
        };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("field")) {
            attribute.parse_nested_meta(|meta| {
                match meta.path.require_ident()?.to_string().as_str() {
                    "versions" => parsed.versions = Versions::parse(&meta.value()?.parse()?)?,
                    "nullable" if parsed.optional => {
                        parsed.nullable = Versions::parse(&meta.value()?.parse()?)?;
                    }
                    "nullable" => return Err(meta.error("a nullable field is an Option")),
                    "tag" => parsed.tag = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?),
                    "tagged" => parsed.tagged = Versions::parse(&meta.value()?.parse()?)?,
                    "flexible" => parsed.flexible = Some(Versions::parse(&meta.value()?.parse()?)?),
                    "default" => parsed.default = Some(meta.value()?.parse()?),
                    "ignorable" => parsed.ignorable = true,
                    "name" => parsed.name = meta.value()?.parse::<LitStr>()?.value(),
                    _ => {
                        let text =
                            "expected versions, nullable, tag, tagged, flexible, default, ignorable or name";
                        return Err(meta.error(text));
                    }
                }
                Ok(())
            })?;
        }
        parsed.versions = parsed.versions.intersect(message.versions);
        parsed.nullable = parsed.nullable.intersect(parsed.versions);
        parsed.tagged = match parsed.tag {
            Some(_) => parsed.tagged.intersect(parsed.versions).intersect(message.flexible),
            None => Versions::NONE,
        };
        if parsed.tag.is_some() && (parsed.tagged.is_empty() || parsed.tagged.last < parsed.versions.last) {
            let text =
                "a tagged field is tagged in some flexible version and in all later ones that carry it";
            return Err(syn::Error::new(parsed.ident.span(), text));
        }
        Ok(parsed)
    }

    /// Whether the default is the literal `None`.
    pub(crate) fn defaults_to_none(&self) -> bool {
        match &self.default {
            Some(Expr::Path(path)) => path.path.is_ident("None"),
            Some(_) => false,
            None => self.optional && is_named(&self.value, "Records"),
        }
    }

    /// Whether the default is a string literal.
    pub(crate) fn default_text(&self) -> Option<&LitStr> {
        match &self.default {
            Some(Expr::Lit(literal)) => match &literal.lit {
                Lit::Str(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }
}

fn borrows(input: &DeriveInput) -> syn::Result<bool> {
    let mut lifetimes = input.generics.lifetimes();
    let first = lifetimes.next();
    if lifetimes.next().is_some() || input.generics.params.len() > 1 {
        return Err(syn::Error::new(
            input.generics.span(),
            "a message has at most one parameter, the lifetime 'a",
        ));
    }
    match first {
        None => Ok(false),
        Some(lifetime) if lifetime.lifetime.ident == "a" => Ok(true),
        Some(lifetime) => Err(syn::Error::new(lifetime.span(), "the lifetime of a message is called 'a")),
    }
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

fn option(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

fn camel_case(snake: &str) -> String {
    let mut name = String::with_capacity(snake.len());
    for word in snake.split('_') {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

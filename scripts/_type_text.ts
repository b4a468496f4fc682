/** Types and signatures of `deno doc --json` as TypeScript. */
import type {
  Callable,
  DocType,
  Param,
  Property,
  TypeParam,
} from "./_doc_json.ts";

/** No line of a signature is longer, if it can be broken. */
const WIDTH = 72;

function list(types: readonly DocType[], separator: string): string {
  return types.map(typeText).join(separator);
}

function withParens(type: DocType): string {
  const text = typeText(type);
  return ["conditional", "fnOrConstructor", "intersection", "union"]
      .includes(type.kind)
    ? `(${text})`
    : text;
}

/** `readonly` or `?` of a mapped type, which can also be taken away. */
function modifier(
  value: boolean | "+" | "-" | undefined,
  text: string,
): string {
  if (value === undefined || value === false) return "";
  return (value === true ? "" : value) + text;
}

/** A property, as in `readonly name?: string`. */
export function propertyText(
  { name, optional, readonly, tsType }: Property,
): string {
  const key = /^[\w$]+$|^\[/.test(name) ? name : JSON.stringify(name);
  const type = tsType ? typeText(tsType) : "unknown";
  return `${readonly ? "readonly " : ""}${key}${optional ? "?" : ""}: ${type}`;
}

/** The name of a parameter; a destructured one has none. */
export function parameterName(
  { name, left, arg }: Param,
): string | undefined {
  return name ?? (left ?? arg)?.name;
}

/** The type of a parameter. */
export function parameterType(
  { tsType, left, arg }: Param,
): DocType | undefined {
  return tsType ?? (left ?? arg)?.tsType;
}

function parameterText(param: Param): string {
  const type = parameterType(param);
  const name = parameterName(param) ?? "options";
  const optional = param.optional || param.kind === "assign";
  return (param.kind === "rest" ? "..." : "") + name + (optional ? "?" : "") +
    (type ? `: ${typeText(type)}` : "");
}

function typeParamText({ name, constraint, default: value }: TypeParam) {
  return name + (constraint ? ` extends ${typeText(constraint)}` : "") +
    (value ? ` = ${typeText(value)}` : "");
}

/** Type parameters with their brackets; nothing if there are none. */
export function typeParamsText(params: readonly TypeParam[] = []): string {
  return params.length === 0 ? "" : `<${params.map(typeParamText).join(", ")}>`;
}

/** A signature, broken into lines if it is long. */
export function signatureText(
  name: string,
  { params = [], typeParams, returnType }: Callable,
): string {
  const before = name + typeParamsText(typeParams);
  const after = returnType ? `: ${typeText(returnType)}` : "";
  const texts = params.map(parameterText);
  const line = `${before}(${texts.join(", ")})${after}`;
  if (line.length <= WIDTH || texts.length === 0) return line;
  return `${before}(\n${texts.map((text) => `  ${text},\n`).join("")})${after}`;
}

/** A type as one would write it. */
export function typeText(type: DocType): string {
  switch (type.kind) {
    case "array":
      return `${withParens(type.value)}[]`;
    case "conditional": {
      const { checkType, extendsType, trueType, falseType } = type.value;
      return `${withParens(checkType)} extends ${withParens(extendsType)} ? ` +
        `${typeText(trueType)} : ${typeText(falseType)}`;
    }
    case "fnOrConstructor": {
      const { constructor, params, typeParams, tsType } = type.value;
      return (constructor ? "new " : "") + typeParamsText(typeParams) +
        `(${params.map(parameterText).join(", ")}) => ${typeText(tsType)}`;
    }
    case "indexedAccess":
      return `${withParens(type.value.objType)}[${
        typeText(type.value.indexType)
      }]`;
    case "infer":
      return `infer ${typeParamText(type.value.typeParam)}`;
    case "intersection":
      return type.value.map(withParens).join(" & ");
    case "keyword":
    case "typeQuery":
      return (type.kind === "typeQuery" ? "typeof " : "") + type.value;
    case "literal":
      return type.value.kind === "string"
        ? JSON.stringify(type.value.string)
        : type.repr ?? type.value.kind;
    case "mapped": {
      const { typeParam, nameType, tsType, readonly, optional } = type.value;
      const { name, constraint } = typeParam;
      return `{ ${modifier(readonly, "readonly ")}[${name} in ` +
        (constraint ? typeText(constraint) : "unknown") +
        (nameType ? ` as ${typeText(nameType)}` : "") +
        `]${modifier(optional, "?")}: ${
          tsType ? typeText(tsType) : "unknown"
        } }`;
    }
    case "parenthesized":
      return withParens(type.value);
    case "rest":
      return `...${typeText(type.value)}`;
    case "this":
      return "this";
    case "tuple":
      return `[${list(type.value, ", ")}]`;
    case "typeLiteral": {
      const { properties = [], methods = [] } = type.value;
      const parts = [
        ...properties.map(propertyText),
        ...methods.map((method) => signatureText(method.name, method)),
      ];
      return parts.length === 0 ? "{}" : `{ ${parts.join("; ")} }`;
    }
    case "typeOperator":
      return `${type.value.operator} ${withParens(type.value.tsType)}`;
    case "typePredicate": {
      const { asserts, param, type: is } = type.value;
      return (asserts ? "asserts " : "") + (param.name ?? "this") +
        (is ? ` is ${typeText(is)}` : "");
    }
    case "typeRef": {
      const { typeName, typeParams = [] } = type.value;
      return typeName +
        (typeParams.length === 0 ? "" : `<${list(typeParams, ", ")}>`);
    }
    case "union":
      return type.value.map((each) =>
        each.kind === "fnOrConstructor" ? `(${typeText(each)})` : typeText(each)
      ).join(" | ");
  }
}

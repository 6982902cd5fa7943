# Functions that check their arguments before they use them. The error names the argument.
#
#   function NAME ARGUMENTS BODY   a function of a set. ARGUMENTS maps names to { type, default ? }. Without `default`, an argument is
#                                  required
#   types                          the types of arguments. `what` describes a type, `is` tests a value, and `take`, if there is one,
#                                  converts it
let
  inherit (builtins) attrNames attrValues all any concatStringsSep elem filter head isAttrs isBool isInt isList isPath isString match;

  isStorePath = value: isAttrs value && value ? outPath;
  quote = text: "`${text}`";
  take = type: type.take or (value: value);

  # A description of a value for errors.
  given = value:
    if isStorePath value then "a derivation or source"
    else if isString value then "the string ${builtins.toJSON value}"
    else if isInt value || isBool value then builtins.toJSON value
    else if isPath value then "the path ${toString value}"
    else if isList value then "[ ${concatStringsSep " " (map (_: "...") value)} ]"
    else if isAttrs value then "{ ${concatStringsSep " " (map (name: "${name} = ...;") (attrNames value))} }"
    else "a ${builtins.typeOf value}";
in
{
  types = rec {
    string = { what = "a string"; is = isString; };
    natural = { what = "a whole number from 1 on"; is = value: isInt value && value >= 1; };
    status = { what = "a whole number from 0 to 255"; is = value: isInt value && value >= 0 && value <= 255; };
    path = {
      what = "a path, a derivation, or a string that is an absolute path";
      is = value: isPath value || isStorePath value || (isString value && match "/.*" value != null);
      take = import ../store-path.nix;
    };
    set = { what = "a set"; is = isAttrs; };
    listOf = type: { what = "a list, each element ${type.what}"; is = value: isList value && all type.is value; take = map (take type); };
    attrsOf = type: { what = "a set, each value ${type.what}"; is = value: isAttrs value && all type.is (attrValues value); };
    oneOf = names: { what = "one of ${concatStringsSep ", " (map quote names)}"; is = value: elem value names; };
    either = types: {
      what = concatStringsSep ", or " (map (type: type.what) types);
      is = value: any (type: type.is value) types;
      take = value: take (head (filter (type: type.is value) types)) value;
    };
    # The result of another function of the library, which its attributes identify.
    made = by: names: { what = "what ${by} gives"; is = value: isAttrs value && all (name: value ? ${name}) names; };
  };

  function = name: arguments: body: values:
    let
      fail = text: throw "${name}: ${text}";
      unknown = filter (argument: !arguments ? ${argument}) (attrNames values);
      missing = filter (argument: !arguments.${argument} ? default && !values ? ${argument}) (attrNames arguments);
      wrong = filter (argument: !arguments.${argument}.type.is values.${argument}) (attrNames values);
      first = head wrong;
    in
    if !isAttrs values then fail "takes a set of arguments; given: ${given values}"
    else if unknown != [ ] then fail "no argument ${quote (head unknown)}; it takes ${concatStringsSep ", " (map quote (attrNames arguments))}"
    else if missing != [ ] then fail "argument ${quote (head missing)} is missing: ${arguments.${head missing}.type.what}"
    else if wrong != [ ] then fail "argument ${quote first} must be ${arguments.${first}.type.what}; given: ${given values.${first}}"
    else
      body (builtins.mapAttrs (_: argument: argument.default) (removeAttrs arguments (missing ++ attrNames values))
        // builtins.mapAttrs (argument: take arguments.${argument}.type) values);
}

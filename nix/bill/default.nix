# The bill of materials of the system and of everything that builds it: each of Debian's packages, each crate, and Linux, with version,
# hash, licences and address, as CycloneDX 1.6 in JSON. It comes from the locks, so the same locks give the same bytes.
{ toolchain, rust, linux, versions }:
let
  inherit (builtins) attrNames concatStringsSep elemAt filter fromJSON fromTOML match readFile replaceStrings toJSON;

  lock = fromJSON (readFile (../toolchain/lock + "/${toolchain.host.debian}.json"));
  release = fromJSON (readFile ../kernel/linux.json);
  crates = filter (package: package ? source) (fromTOML (readFile ../../Cargo.lock)).package;
  escaped = replaceStrings [ "+" ":" ] [ "%2B" "%3A" ];
  sha256 = content: [{ alg = "SHA-256"; inherit content; }];
  from = type: url: [{ inherit type url; }];

  # What is in the image has the scope `required`; what only builds or boots it, `excluded`.
  linuxComponent = {
    key = "linux";
    type = "operating-system";
    name = "linux";
    scope = "required";
  } // (if linux.version == null then { } # of `--override-input`
  else {
    inherit (linux) version;
    hashes = sha256 release.sha256;
    externalReferences = from "source-distribution" release.url;
  });
  initComponent = {
    key = "init";
    type = "application";
    name = "init";
    inherit (versions.project) version;
    scope = "required";
  };
  crateComponent = { name, version, checksum, source, ... }: {
    key = "crate/${name}/${version}";
    type = "library";
    inherit name version;
    scope = "excluded";
    purl = "pkg:cargo/${name}@${escaped version}";
    hashes = sha256 checksum;
    # The address is that of the registry's index.
    externalReferences = from "distribution" (elemAt (match "registry[+](.*)" source) 0);
  };
  packageComponent = name:
    let package = lock.packages.${name}; in
    {
      key = "deb/${name}";
      type = "application";
      inherit name;
      inherit (package) version;
      scope = "excluded";
      purl = "pkg:deb/debian/${escaped name}@${escaped package.version}?arch=${toolchain.host.debian}";
      hashes = sha256 package.sha256;
      externalReferences = from "distribution" "https://snapshot.debian.org/archive/debian/${lock.snapshot}/${package.path}";
    };
  components = [ linuxComponent initComponent ] ++ map crateComponent crates ++ map packageComponent (attrNames lock.packages);

  # KEY and a component without its licences, which bill.sh finds in the sources.
  line = component: "${component.key}\t${toJSON (removeAttrs component [ "key" ] // { bom-ref = component.key; })}\n";
  head = {
    bomFormat = "CycloneDX";
    specVersion = "1.6";
    version = 1;
    metadata.component = { type = "operating-system"; name = "simplest-linux"; inherit (versions.project) version; bom-ref = "simplest-linux"; };
  };
in
toolchain.run "bill.cdx.json"
{
  components = concatStringsSep "" (map line components);
  head = toJSON head;
  passAsFile = [ "components" ];
  inherit (rust) crates;
  packages = map (name: "${name}=${toolchain.debs.${name}}") (attrNames lock.packages);
  # What no manifest of a crate says.
  own = "linux\tGPL-2.0-only WITH Linux-syscall-note\ninit\tMIT OR Apache-2.0\n";
} ./bill.sh

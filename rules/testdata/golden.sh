# Remakes the databases with the C tcprules in PATH.
set -e
cd "$(dirname "$0")"
for f in *.rules; do
	tcprules "${f%.rules}.cdb" rules.tmp <"$f"
done

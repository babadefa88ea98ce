# usage: dkimpy.py sign|verify FOLDER
# Each line of FOLDER/jobs is FILE SELECTOR DOMAIN ALGORITHM HEADER BODY, the
# last two being canonicalizations. Sign writes the field to FILE.sig; verify
# prints a line for the topmost signature: pass, or what is wrong with it.
import dkim, os, sys

mode, folder = sys.argv[1:]

def read(name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()

def txt(name, timeout=5):
    return read(name.split(b".")[0].decode() + ".txt")

for job in read("jobs").decode().splitlines():
    name, selector, domain, algorithm, header, body = job.split(" ")
    msg = read(name)
    if mode == "sign":
        key = read(selector + (".seed" if algorithm.startswith("ed25519") else ".pem"))
        field = dkim.sign(msg, selector.encode(), domain.encode(), key, signature_algorithm=algorithm.encode(),
                          canonicalize=(header.encode(), body.encode()), include_headers=[b"from", b"from", b"subject", b"to"])
        with open(os.path.join(folder, name + ".sig"), "wb") as f:
            f.write(field)
        continue
    try:
        print("pass" if dkim.DKIM(msg).verify(0, dnsfunc=txt) else "fail")
    except Exception as e:
        print(repr(e))

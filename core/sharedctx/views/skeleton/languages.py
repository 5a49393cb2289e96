"""The languages whose programs have skeletons; a language is one entry."""

from __future__ import annotations

from .language import DOUBLE, HASHED, LETTER, SINGLE, SLASHED, Language

_MODIFIERS = (
    r"(?:(?:public|private|protected|internal|static|final|abstract|sealed|partial|virtual|override|async|unsafe|extern"
    r"|readonly|native|synchronized|default|strictfp|new|inline|open|data|suspend|lateinit|const|inner|companion"
    r"|mutating|fileprivate|required|convenience)[ \t]+)"
)
_TYPED_METHOD = r"(?=[^(\n;={}\"]{1,200}\()[\w<>\[\],.?: \t&*]{1,120}[ \t&*>\]]~?\w{1,80}[ \t]*\([^;{}=\n]{0,300}"
_NO_CALL = (
    r"(?!(?:return|else|throw|new|if|for|while|switch|case|goto|delete|do|await|yield|using|lock|catch|function"
    r"|assert|not|and|or|with"
    r"|except|elif)\b)"
)
_REGEX = r"(?<=[(,=:\[!&|?{};])[ ]{0,2}/(?![/*])(?:[^/\\\n\[]++|\\.|\[(?:[^\]\\\n]++|\\.)*+\]?)*+/?"

PYTHON = Language(
    "python",
    "python",
    HASHED,
    r'[rR]?"""(?:[^"\\]++|\\[\s\S]|"(?!""))*+(?:""")?|[rR]?\'\'\'(?:[^\'\\]++|\\[\s\S]|\'(?!\'\'))*+(?:\'\'\')?'
    rf"|{DOUBLE}|{SINGLE}",
    declares=r"(?:async[ \t]+)?def[ \t]+\w+[ \t]*[(\[]|class[ \t]+\w+[^\n]{0,200}:",
    contains=r"class[ \t]",
    fails=r"^[ \t]*raise\b",
    failures=("raise",),
    imports=r"import[ \t]+\w|from[ \t]+[\w.]+[ \t]+import\b",
    hints=r"[ \t]*(?:(?:if|for|while|elif|else|try|except|finally|with)\b.*:[ \t]*$|@\w[\w.]*(?:\(|$)|pass$"
    r"|if __name__)"
    r"|(?:from [\w.]+ )?import [\w*(]",
    signs=(r"self\.\w", r"None\b"),
    needs=("def ", "class "),
)
LANGUAGES = (
    PYTHON,
    Language(
        "go",
        "braces",
        SLASHED,
        rf"{DOUBLE}|`[^`]*+`?|{LETTER}",
        declares=r"func[ \t]+(?:\([^()\n]{0,200}\)[ \t]*)?\w+[ \t]*[(\[]|type[ \t]+\w+[ \t[]",
        contains=r"type[ \t]+\w+[^\n]{0,200}[ \t](?:struct|interface)[ \t]*$|(?:struct|interface)[ \t]*$",
        fails=r"\bpanic\(|\b(?:errors\.(?:New|Join)|fmt\.Errorf|(?:log|t)\.(?:Fatal|Panic|Error)\w*)\("
        r'|\("[^"\n]{0,80}\berror\b|^[ \t]*return\b[^\n]{0,200}\bErr[A-Z]\w*',
        failures=("rr", "anic", "Fatal"),
        imports=r'import[ \t]*[("]',
        hints=r"package \w+[ \t]*$|import \($|func |\t(?:return|defer|go) ",
        within=(r":(?<= :)= ", r"if err != nil"),
        needs=("func ", "type "),
    ),
    Language(
        "rust",
        "braces",
        SLASHED,
        rf'b?r(#{{0,9}})"(?:[^"]++|"(?!\3))*+(?:"\3)?|{DOUBLE}|{LETTER}',
        declares=r"(?:pub(?:\([\w: ]{1,40}\))?[ \t]+)?(?:(?:async|const|unsafe|default"
        r"|extern(?:[ \t]+\"\w+\")?)[ \t]+)*"
        r"(?:(?:fn|struct|enum|union|trait|mod|type|macro_rules!)[ \t]+\w+|impl\b[ \t<]|(?:const"
        r"|static)[ \t]+\w+[ \t]*:)",
        contains=r"(?:pub(?:\([\w: ]{1,40}\))?[ \t]+)?(?:(?:unsafe|auto|default)[ \t]+)*(?:extern\b[^(\n]*$"
        r"|(?:struct|enum|union|trait|mod|impl)\b)",
        fails=r"\b(?:panic|unreachable|todo|unimplemented|bail)!|\breturn[ \t]+Err\b|^[ \t]*Err\((?![^\n]*=>)"
        r"|\.expect\(",
        failures=("panic!", "unreachable!", "todo!", "unimplemented!", "bail!", "Err", ".expect("),
        imports=r"(?:pub(?:\([\w: ]{1,40}\))?[ \t]+)?(?:use|extern crate)[ \t]+[\w{:*]",
        hints=r"[ \t]*#!?\[\w+|[ \t]*use [\w:]+.*;$",
        signs=(r"let (?:mut )?\w+",),
        within=(r"\) -> [\w&<(]", r"&mut ", r":(?<=\w:):\w"),
        needs=("fn ", "impl", "struct ", "enum ", "trait ", "mod "),
    ),
    Language(
        "typescript",
        "braces",
        SLASHED,
        rf"{DOUBLE}|{SINGLE}|`(?:[^`\\]++|\\[\s\S])*+`?|{_REGEX}",
        declares=r"(?:(?:export|default|declare|abstract|async|const(?=[ \t]+enum))[ \t]+)*"
        r"(?:function\b[ \t*]*\w*[ \t]*[(<]|class[ \t]+[\w$]+|class[ \t]*\{|interface[ \t]+[\w$]+"
        r"|type[ \t]+[\w$]+[^=\n]{0,200}="
        r"|enum[ \t]+\w+|namespace[ \t]+[\w.]+|module[ \t]+[\w'\"]"
        r"|(?:const|let|var)[ \t]+[\w$]+[^=\n]{0,300}=[ \t]*(?:async[ \t]*)?(?:function\b|\([^\n]{0,300}=>"
        r"|[\w$]+[ \t]*=>))"
        r"|(?:module\.)?exports(?:\.\w+)?[ \t]*="
        rf"|{_NO_CALL}(?:(?:static|async|get|set|public|private|protected|readonly|override)[ \t]+)*[#\w$]+[ \t]*"
        r"\((?![^\n]*\bfunction\b)[^;=\n]{0,300}\{[ \t]*$",
        contains=r"(?:(?:export|default|declare|abstract|const(?=[ \t]+enum))[ \t]+)*(?:(?:class|interface|enum"
        r"|namespace"
        r"|module)\b|type[ \t]+[\w$]+[^=\n]{0,300}=|default[ \t]*$)|export[ \t]+default[ \t]*$"
        r"|module\.exports[ \t]*=[ \t]*$"
        r"|(?:describe|suite|context)(?:\.\w+)*\(|(?:const|let|var)[ \t]+\w+[ \t]*=[ \t]*class\b",
        fails=r"\bthrow\b[ \t]|\breject\(|\bconsole\.error\(|\bnew [\w$.]{0,80}Error\(",
        failures=("throw", "reject(", "console.error(", "Error("),
        imports=r"import\b[ \t{*'\"]|export[ \t]+(?:\*|\{[^}\n]{0,300}\}[ \t]+from)|(?:const|let"
        r"|var)[ \t]+[^=\n]{1,200}=[ \t]*"
        r"require\(|\}[ \t]*from[ \t]+['\"]",
        hints=r"[ \t]*(?:const|let|var) [\w${\[].*=|(?:import|export) ",
        signs=(r"function\b[ \w]*\(", r"console\.log\(", r"require\("),
        within=(r"=>", r"===", r": (?:string|number|boolean)\b"),
    ),
    Language(
        "java",
        "braces",
        SLASHED,
        rf'"""(?:[^"\\]++|\\[\s\S]|"(?!""))*+(?:""")?|{DOUBLE}|{LETTER}',
        declares=rf"{_MODIFIERS}*(?:class|interface|enum|record|@interface)[ \t]+\w+|{_MODIFIERS}+{_TYPED_METHOD}"
        rf"|{_NO_CALL}{_TYPED_METHOD}(?=\{{[ \t]*$)",
        contains=rf"{_MODIFIERS}*(?:class|interface|enum|record|@interface)\b",
        fails=r"\bthrow[ \t]|\b(?:log|logger|LOG|LOGGER)\.(?:error|fatal|severe)\(",
        failures=("throw", ".error(", ".fatal(", ".severe("),
        imports=r"import[ \t]+(?:static[ \t]+)?[\w.*]+;|package[ \t]+[\w.]+;",
        hints=r"(?:package|import) [\w.*]+;|[ \t]*@Override|[ \t]*private \w+",
        signs=(r"final \w+", r"new \w+[<(]", r"String \w+"),
        within=(r"public (?:class|static|void|interface)", r"System\.out"),
        needs=("class ", "interface ", "enum ", "record "),
    ),
    Language(
        "c#",
        "braces",
        rf"{SLASHED}|^[ \t]*\#[^\n]*+",
        rf'[$]?@[$]?"(?:[^"]++|"")*+"?|{DOUBLE}|{LETTER}',
        declares=rf"{_MODIFIERS}*(?:namespace|class|interface|enum|record|struct|delegate)[ \t]+\w+|{_MODIFIERS}+"
        rf"{_TYPED_METHOD}|{_MODIFIERS}+[\w<>\[\],.? \t]{{1,100}}[ \t]\w+[ \t]*(?:\{{|=>|$)",
        contains=rf"{_MODIFIERS}*(?:namespace|class|interface|enum|record|struct)\b",
        fails=r"\bthrow\b",
        failures=("throw",),
        imports=r"(?:global[ \t]+)?using[ \t]+[\w.= ]+;",
        hints=r"using [\w.]+;|namespace [\w.]+|[ \t]*\[\w+[\](]|#region",
        signs=(r"var \w+ =", r"string \w+", r"namespace\b"),
        within=(r"\{ get;", r"Console\.Write", r"public (?:override|async|virtual)"),
        needs=("class ", "interface ", "struct ", "enum ", "record ", "namespace "),
    ),
    Language(
        "c",
        "braces",
        rf"{SLASHED}|^[ \t]*\#[ \t]*define\b(?:[^\\\n]++|\\[\s\S])*+",
        rf'R"(\w{{0,16}})\((?:[^)]++|\)(?!\3"))*+(?:\)\3")?|{DOUBLE}|{LETTER}',
        declares=r"(?:typedef[ \t]+)?(?:struct|class|union|enum(?:[ \t]+class)?|namespace)[ \t]+\w+[^;=()\n]{0,200}$"
        r"|typedef\b|template[ \t]*<|\#[ \t]*define[ \t]+\w+"
        rf"|(?![ \t]){_NO_CALL}\w[\w \t*]{{0,80}}[ \t*]\w{{1,80}}[ \t]*\([^;=\n]{{0,300}}\);"
        rf"|(?![ \t]){_NO_CALL}[\w:<>~,&* \t\[\]]{{1,160}}\([^;=\n]{{0,300}}(?:[{{,)]|const|noexcept)[ \t]*$"
        r"|(?:virtual|static|inline|explicit|constexpr|extern)[ \t][^=\n]{1,200}\(",
        contains=r"(?:template[ \t]*<[^\n]{0,200}>[ \t]*)?(?:typedef[ \t]+)?(?:(?:static|const)[ \t]+)*"
        r"(?:struct|class|union|enum|namespace)\b[^(=]*$|extern[ \t]+\"",
        fails=r"\bthrow\b[ \t;]|\b(?:abort|exit|perror|err|errx|die|fatal|panic|BUG)\(|\bassert\("
        r"|\breturn[ \t]+-E?[A-Z1]"
        r"|\bfprintf\([ \t]*stderr|\bgoto[ \t]+(?:err|fail|out)\w*",
        failures=("throw", "abort(", "exit(", "err", "die(", "fatal(", "panic(", "BUG(", "assert(", "return", "goto"),
        imports=r"\#[ \t]*(?:include|import)\b|using[ \t]+[\w:]",
        hints=r"\#[ \t]*(?:include|define|ifn?def|endif|pragma)\b|[ \t]*(?:static|int|void|char|unsigned|struct"
        r"|size_t|uint\d+_t) ",
        signs=(r"std::", r"sizeof\b", r"NULL\b", r"nullptr\b"),
        within=(r"-(?<=\w-)>\w",),
    ),
    Language(
        "php",
        "braces",
        rf"{SLASHED}|\#(?!\[)[^\n]*+",
        rf"{DOUBLE}|{SINGLE}",
        declares=rf"{_MODIFIERS}*(?:function[ \t]+&?\w+[ \t]*\(|(?:class|interface|trait|enum)[ \t]+\w+)",
        contains=rf"{_MODIFIERS}*(?:class|interface|trait|enum|namespace)\b",
        fails=r"\bthrow[ \t]|\btrigger_error\(|\bdie\(",
        failures=("throw", "trigger_error(", "die("),
        imports=r"use[ \t]+[\w\\]+|namespace[ \t]+[\w\\]+;|(?:require|include)(?:_once)?\b",
        hints=r"<\?php",
        signs=(r"function \w+\(",),
        within=(r"\$\w+ = ", r"\$this->", r"->\w+\(\$"),
        needs=("<?php",),
        opens="<?php",
    ),
    Language(
        "kotlin or swift",
        "braces",
        SLASHED,
        rf'"""(?:[^"]++|"(?!""))*+(?:""")?|{DOUBLE}|{LETTER}',
        declares=rf"(?:@\w+[ \t]+)*{_MODIFIERS}*(?:(?:fun|func)[ \t]+[\w<(`]|init\??[ \t]*\("
        r"|(?:class|interface|object|protocol|extension|struct|enum)[ \t]+\w+)",
        contains=rf"(?:@\w+[ \t]+)*{_MODIFIERS}*(?:class|interface|object|protocol|extension|struct|enum)\b",
        fails=r"\bthrow[ \t]|\b(?:error|fatalError|preconditionFailure|require|check)\(",
        failures=("throw", "rror(", "Failure(", "require(", "check("),
        imports=r"import[ \t]+[\w.*]+[ \t]*$|package[ \t]+[\w.]+[ \t]*$",
        hints=r"[ \t]*(?:private |override |public )?(?:val|var|let) \w+|import [\w.]+$",
        signs=(r"func? \w+\(", r"guard let\b", r"when ?\(", r"companion object\b"),
        needs=("fun ", "func ", "class ", "protocol ", "struct "),
    ),
    Language(
        "ruby",
        "indents",
        r"\#[^\n]*+|^=begin\b[\s\S]*?(?:^=end\b|\Z)",
        rf"{DOUBLE}|{SINGLE}",
        declares=r"(?![^\n]*:[ \t]*$)(?:def[ \t]+[\w.]+[?!=]?|(?:class|module)[ \t]+[A-Z<]\S*)|(?:attr_\w+|scope"
        r"|has_many|belongs_to|validates)[ \t]",
        contains=r"(?:class|module)\b|(?:describe|context|namespace)\b[^\n]*\bdo\b",
        fails=r"^[ \t]*(?:raise|fail|abort)\b",
        failures=("raise", "fail", "abort"),
        imports=r"require(?:_relative)?[ \t(]|(?:include|extend)[ \t]+[A-Z]",
        hints=r"[ \t]*end[ \t]*$|require |[ \t]*@\w+ (?:\|\|)?= |[ \t]*attr_",
        signs=(r"do(?: \|[\w, ]+\|)?$", r"nil\b"),
        needs=("def ", "class ", "module "),
    ),
    Language(
        "shell",
        "indents",
        r"(?:(?<=[\s;])|^)\#[^\n]*+",
        r'"(?:[^"\\]++|\\[\s\S])*+"?|\'[^\']*+\'?',
        declares=r"(?:function[ \t]+[\w:-]+[ \t]*(?:\(\))?|[\w:-]+[ \t]*\(\))[ \t]*\{?[ \t]*(?:\#[^\n]*)?$",
        contains=r"(?!)",
        fails=r"^[ \t]*(?:exit[ \t]+[1-9$]|die\b|return[ \t]+[1-9])|\b(?:exit[ \t]+[1-9]|die[ \t])|>&2",
        failures=("exit", "die", "return", ">&2"),
        imports=r"(?:source|\.)[ \t]+\S",
        hints=r"#!.*\b(?:ba|z|k|da)?sh\b|[ \t]*(?:fi|done|esac|then|local \w+|export \w+=|echo .*|if \[.*"
        r"|set -\w+)[ \t]*;?$"
        r"|[ \t]*\w+\(\) ?\{$|[A-Z_]+=",
        within=(r"\$(?<=[\" =]\$)[\w{(]",),
        needs=("{",),
    ),
    Language(
        "sql",
        "statements",
        r"--[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?",
        r"'(?:[^']++|'')*+'?|\"[^\"]*+\"?",
        declares=r"(?i:create|alter|drop)[ \t]+(?i:or[ \t]+replace[ \t]+|temp(?:orary)?[ \t]+|unique[ \t]+"
        r"|materialized[ \t]+)*"
        r"(?i:table|view|index|function|procedure|trigger|type|schema|sequence|database|extension)\b",
        contains=r"(?i:create)[ \t][^\n]{0,80}(?i:table|type)\b",
        fails=r"(?i)\braise[ \t]+(?:exception|error)|\bsignal[ \t]+sqlstate|\bthrow[ \t]+\d",
        imports=r"(?i:use)[ \t]+\w+;|\\(?:i|ir|c)[ \t]",
        hints=r"(?i:[ \t]*(?:select|insert[ \t]+into|update[ \t]+\w+[ \t]+set|from|where|group by|order by|values|join"
        r"|(?:left|inner|right)[ \t]+join|begin|commit|end|create|alter|drop|grant|revoke|returns?|language|as|on"
        r"|set|declare|if)\b)",
        within=(r"[vbpnrVBPNR](?<!\w.)(?i:(?<=v)archar|(?<=b)igint|(?<=p)rimary key|(?<=n)ot null|(?<=r)eferences)\b",),
        needs=("CREATE", "create", "ALTER", "alter", "DROP", "drop", "Create"),
    ),
)

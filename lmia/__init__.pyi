# What editors and type checkers see of `lmia`, whose names are looked up when they are used.
from lmia.api import Answers as Answers
from lmia.api import Compared as Compared
from lmia.api import Confidences as Confidences
from lmia.api import Distances as Distances
from lmia.api import Model as Model
from lmia.api import Table as Table
from lmia.api import attack as attack
from lmia.api import evaluate as evaluate
from lmia.api import query_labels as query_labels
from lmia.api import search_boundary as search_boundary
from lmia.api import search_directions as search_directions
from lmia.api_pools import attack_pool as attack_pool
from lmia.api_pools import draw_pool as draw_pool
from lmia.api_pools import evaluate_pool as evaluate_pool

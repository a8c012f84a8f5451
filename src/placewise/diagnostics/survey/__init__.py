"""What a survey is like: its margins beside the population's, its design, and what its reader checked."""

from placewise.diagnostics.survey.describe import SurveyDescription, check_margins, describe_survey

__all__ = ["SurveyDescription", "check_margins", "describe_survey"]
